/** What all charts share: their frame, their axes, their colours, and a size that follows the page and the paper. */

import uPlot from "./uplot";
import "uplot/dist/uPlot.min.css";
import { swatch } from "../bars";
import { type Child, h } from "../dom";
import { color, onThemeChange } from "../theme";

export interface Line {
  label: string;
  /** What its colour is called in the style sheet. */
  color: string;
  show: (value: number) => string;
  /** Filled down to the axis. */
  filled?: boolean;
  /** With a dot where something was measured. */
  dotted?: boolean;
  /** Drawn in dashes, so that it is told from the others by more than its colour. */
  dash?: boolean;
  scale?: string;
}

const PAPER_WIDTH = 690;
const FONT = "12px system-ui, sans-serif";

/** As `uPlot.Series`, with colours that are looked up whenever it is drawn. */
export function series(line: Line): uPlot.Series {
  const stroke = () => color(line.color);
  return {
    label: line.label,
    scale: line.scale ?? "y",
    stroke,
    width: 1.75,
    spanGaps: true,
    points: line.dotted ? { show: true, size: 5, width: 0, fill: stroke } : { show: false },
    ...(line.dash ? { dash: [6 * uPlot.pxRatio, 4 * uPlot.pxRatio], width: 1.5 } : {}),
    ...(line.filled ? { fill: () => color(line.color, 0.14) } : {}),
  };
}

export function axis(options: uPlot.Axis): uPlot.Axis {
  const stroke = () => color("muted");
  const grid = { stroke: () => color("grid"), width: 1 };
  return {
    font: FONT,
    labelFont: FONT,
    stroke,
    ticks: { show: false },
    gap: 6,
    ...options,
    grid: { ...grid, ...options.grid },
  };
}

/** A chart in its frame, which is read out as `summary`. It is as wide as the page gives it room. */
export class Plot {
  readonly element: HTMLElement;
  readonly place = h("div", { class: "plot", role: "img" });
  /** As large as the chart, for what is laid over it and is no part of the picture. */
  readonly frame = h("div", { class: "frame" }, this.place);
  private chart: uPlot | null = null;
  private options: Omit<uPlot.Options, "width"> | null = null;
  private data: uPlot.AlignedData = [[]];

  constructor(title: string, head: Child | Child[], summary: string) {
    this.place.setAttribute("aria-label", summary);
    const said = Array.isArray(head) ? head : [head];
    this.element = h("figure", {}, h("figcaption", {}, h("h3", {}, title), ...said), this.frame);
    new ResizeObserver(() => this.fit()).observe(this.place);
    onThemeChange(() => this.redraw());
    matchMedia("print").addEventListener("change", () => this.fit());
    // Before the paper is laid out: what is too wide for it then makes everything on it smaller.
    addEventListener("beforeprint", () => this.fit(PAPER_WIDTH));
  }

  /** Draw, anew when the options are others. */
  draw(options: Omit<uPlot.Options, "width">, data: uPlot.AlignedData): void {
    this.chart?.destroy();
    this.chart = null;
    [this.options, this.data] = [options, data];
    this.fit();
  }

  /** Other points of the same lines. With `rescaled` the axes follow them. */
  update(data: uPlot.AlignedData, rescaled = true): void {
    this.data = data;
    this.chart?.setData(data, rescaled);
    if (!rescaled) this.chart?.redraw(true, false);
  }

  get uplot(): uPlot | null {
    return this.chart;
  }

  private fit(width = this.room()): void {
    if (!this.options || width < 50) return;
    if (!this.chart) this.chart = new uPlot({ ...this.options, width }, this.data, this.place);
    else if (this.chart.width !== width) this.chart.setSize({ width, height: this.options.height });
  }

  private room(): number {
    return matchMedia("print").matches ? PAPER_WIDTH : Math.floor(this.place.clientWidth);
  }

  private redraw(): void {
    this.chart?.redraw(true, true);
  }
}

/** The name of a line, its colour, a value, and a switch for it. */
export class Chip {
  readonly element: HTMLButtonElement;
  private readonly value = h("b");

  constructor(line: Line, onToggle: (shown: boolean) => void) {
    this.element = h(
      "button",
      { type: "button", class: "chip", "aria-pressed": "true", click: () => onToggle(this.toggle()) },
      swatch(line.color),
      line.label,
      this.value,
    );
  }

  say(value: string): void {
    this.value.textContent = value;
  }

  private toggle(): boolean {
    const shown = this.element.getAttribute("aria-pressed") !== "true";
    this.element.setAttribute("aria-pressed", String(shown));
    return shown;
  }
}
