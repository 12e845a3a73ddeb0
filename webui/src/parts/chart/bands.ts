/** Stretches of a chart that are shaded and named: what is drawn there is not what it seems. */

import uPlot from "uplot";
import { color } from "../theme";

export type Span = readonly [start: number, end: number];

export function bands(spans: () => Span[], name: string, tint: string): uPlot.Plugin {
  const draw = (chart: uPlot): void => {
    const { ctx, bbox } = chart;
    ctx.save();
    ctx.beginPath();
    ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
    ctx.clip();
    let free = bbox.left;
    for (const [start, end] of spans()) {
      const left = chart.valToPos(start, "x", true);
      const width = Math.max(2, chart.valToPos(end, "x", true) - left);
      ctx.fillStyle = color(tint, 0.18);
      ctx.fillRect(left, bbox.top, width, bbox.height);
      free = write(ctx, name, left, bbox, free);
    }
    ctx.restore();
  };
  // Below the lines.
  return { hooks: { drawClear: draw } };

  /** The name where there is room for it: not over another one. */
  function write(ctx: CanvasRenderingContext2D, text: string, left: number, bbox: uPlot.BBox, free: number): number {
    const at = Math.max(left, bbox.left) + 6;
    ctx.font = `${11 * uPlot.pxRatio}px system-ui, sans-serif`;
    const width = ctx.measureText(text).width;
    if (at < free || at + width > bbox.left + bbox.width) return free;
    ctx.fillStyle = color(`${tint}-text`);
    ctx.textBaseline = "top";
    ctx.textAlign = "left";
    ctx.fillText(text, at, bbox.top + 4);
    return at + width + 12;
  }
}
