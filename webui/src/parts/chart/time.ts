/** Charts over the same time, one below the other: they share a cursor and a zoom, and say their values under it. */

import type uPlot from "uplot";
import { type Child, h } from "../dom";
import { clock } from "../format";
import { bands, type Span } from "./bands";
import { axis, Chip, type Line, Plot, series } from "./plot";

export type Column = (number | null)[];

export interface TimeChart {
  title: string;
  lines: Line[];
  columns: Column[];
  /** What stands beside a line's name while nothing is pointed at: its value for the whole time. */
  whole: (string | null)[];
  unit: (value: number) => string;
}

const HEIGHT = 180;

/** Seconds between the marks of the axis: never less than its labels show. */
const STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 28_800, 86_400, 604_800];

export class TimeCharts {
  readonly element: HTMLElement;
  private readonly when = h("output", { class: "when" });
  private readonly reset = h("button", { type: "button", class: "quiet", hidden: true }, "Reset zoom");
  private readonly plots: Plot[] = [];
  private isZooming = false;

  /** `times` are seconds of the Unix epoch, ascending; `spans` are shaded in every chart. */
  constructor(
    private readonly times: number[],
    charts: TimeChart[],
    private readonly spans: { name: string; tint: string; at: Span[] },
  ) {
    this.reset.addEventListener("click", () => this.zoom(this.first, this.last));
    const figures = charts.map((chart) => this.add(chart));
    const head = h("div", { class: "charts-head" }, this.when, this.reset);
    this.say(null);
    this.element = h("div", { class: "charts" }, head, ...figures);
  }

  private get first(): number {
    return this.times[0] ?? 0;
  }

  private get last(): number {
    return this.times.at(-1) ?? 1;
  }

  private add(chart: TimeChart): HTMLElement {
    const at = this.plots.length;
    const chips = chart.lines.map((line, index) => new Chip(line, (shown) => this.show(at, index, shown)));
    const say = (index: number | null) => {
      chips.forEach((chip, line) => {
        const value = index === null ? null : (chart.columns[line]?.[index] ?? null);
        const shown = value === null ? null : (chart.lines[line]?.show(value) ?? null);
        chip.say(index === null ? (chart.whole[line] ?? "") : (shown ?? "–"));
      });
    };
    say(null);
    const head: Child = h("div", { class: "chips" }, ...chips.map((chip) => chip.element));
    const said = chart.lines.map((line, index) => `${line.label} ${chart.whole[index] ?? ""}`).join(", ");
    const plot = new Plot(chart.title, head, `${chart.title} over time: ${said}`);
    this.plots.push(plot);
    plot.draw(this.options(chart, say), [this.times, ...chart.columns]);
    return plot.element;
  }

  private options(chart: TimeChart, say: (index: number | null) => void): Omit<uPlot.Options, "width"> {
    const setCursor = ({ cursor }: uPlot) => {
      const index = cursor.left === undefined || cursor.left < 0 ? null : (cursor.idx ?? null);
      say(index);
      this.say(index);
    };
    const setScale = ({ scales }: uPlot, key: string) => {
      const { min, max } = scales.x ?? {};
      if (key === "x" && min != null && max != null) this.zoom(min, max);
    };
    return {
      height: HEIGHT,
      padding: [6, 30, 0, 0],
      legend: { show: false },
      cursor: { sync: { key: "time" }, y: false, points: { size: 6 }, drag: { x: true, y: false } },
      scales: { x: { time: true }, y: { range: (_u, _min, max) => [0, max > 0 ? max * 1.15 : 1] } },
      axes: [
        axis({
          values: (_u, splits) => splits.map(timeOfDay),
          size: 32,
          incrs: STEPS,
          space: 80,
          grid: { show: false },
        }),
        axis({ size: 64, values: (_u, splits) => splits.map(chart.unit) }),
      ],
      series: [{}, ...chart.lines.map(series)],
      plugins: [bands(() => this.spans.at, this.spans.name, this.spans.tint)],
      hooks: { setCursor: [setCursor], setScale: [setScale] },
    };
  }

  private show(plot: number, line: number, shown: boolean): void {
    this.plots[plot]?.uplot?.setSeries(line + 1, { show: shown });
  }

  private zoom(min: number, max: number): void {
    if (this.isZooming) return;
    this.isZooming = true;
    for (const { uplot } of this.plots) uplot?.setScale("x", { min, max });
    this.isZooming = false;
    this.reset.hidden = min <= this.first && max >= this.last;
  }

  private say(index: number | null): void {
    const time = index === null ? undefined : this.times[index];
    const spans = this.spans.at;
    if (time !== undefined) {
      const inside = spans.some(([start, end]) => start < time && time <= end);
      this.when.textContent = `${timeOfDay(time)}, ${clock(time - this.first)} in${inside ? `: ${this.spans.name}` : ""}`;
    } else {
      this.when.textContent = "Point at a chart for its values; drag to zoom.";
    }
  }
}

export function timeOfDay(seconds: number): string {
  return new Date(seconds * 1000).toLocaleTimeString("en-GB");
}
