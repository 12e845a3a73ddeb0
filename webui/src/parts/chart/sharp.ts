/**
 * Charts are drawn with at least two pixels a dot, so that they are sharp on paper, too: a page that is printed shows the
 * canvases as they are. uPlot takes the ratio from the window when it is imported, so this is imported before it.
 */

const screens = Object.getOwnPropertyDescriptor(window, "devicePixelRatio")?.get;

if (screens) {
  Object.defineProperty(window, "devicePixelRatio", {
    configurable: true,
    get: () => Math.max(2, Number(screens.call(window))),
  });
}
