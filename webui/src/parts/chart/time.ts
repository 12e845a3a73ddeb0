/**
 * Charts over the same time, one beside the other: they share a cursor and a zoom, and say their values under it.
 *
 * What they show may grow: as long as the lines stay the same, only their points are drawn anew, and a zoom stays.
 */

import type uPlot from "uplot";
import { h } from "../dom";
import { clock } from "../format";
import { bands, type Span } from "./bands";
import { type Mark, marks } from "./marks";
import { download, picture } from "./picture";
import { axis, Chip, type Line, Plot, series } from "./plot";

export type Column = (number | null)[];

export interface TimeChart {
  title: string;
  lines: Line[];
  columns: Column[];
  /** What stands beside a line's name while nothing is pointed at: its value for the whole time. */
  whole: (string | null)[];
  unit: (value: number) => string;
  /** As much more room above the highest value; 1.15 without. */
  room?: number;
}

export interface TimeData {
  /** Seconds, ascending: of the Unix epoch, or since the start where they are `elapsed`. */
  times: number[];
  charts: TimeChart[];
  /** Shaded in every chart. */
  spans: Span[];
  marks: Mark[];
  /** When it all began, where that is not the first of the times. */
  start?: number;
  elapsed?: boolean;
}

interface Shaded {
  name: string;
  tint: string;
}

interface Options {
  shaded: Shaded;
  /** With a button at each chart that gives it as a picture. */
  pictures?: boolean;
}

const HEIGHT = 180;

/** Seconds between the marks of the axis: never less than its labels show. */
const STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 28_800, 86_400, 604_800];

/** One of them: its frame, which stays, and what is drawn in it now. */
class Pane {
  readonly chips = h("div", { class: "chips" });
  readonly plot: Plot;
  private named: Chip[] = [];
  chart: TimeChart | null = null;

  constructor(title: string, pictures: boolean) {
    const button = h("button", { type: "button", class: "quiet png", click: () => this.keep() }, "PNG");
    button.setAttribute("aria-label", `PNG: download the chart “${title}”`);
    this.plot = new Plot(title, [this.chips, pictures ? button : null], title);
  }

  /** Whether lines of the same names and colours are drawn. */
  isLike(chart: TimeChart): boolean {
    return this.chart !== null && signature(this.chart) === signature(chart);
  }

  name(chart: TimeChart): void {
    this.named = chart.lines.map((line, index) => new Chip(line, (shown) => this.show(index, shown)));
    this.chips.replaceChildren(...this.named.map((chip) => chip.element));
  }

  take(chart: TimeChart): void {
    this.chart = chart;
    const said = chart.lines.map((line, index) => `${line.label} ${chart.whole[index] ?? ""}`.trim()).join(", ");
    this.plot.place.setAttribute("aria-label", `${chart.title} over time: ${said}`);
  }

  say(index: number | null): void {
    const { chart } = this;
    const at = (line: number, place: number) => {
      const value = chart?.columns[line]?.[place] ?? null;
      return value === null ? "–" : (chart?.lines[line]?.show(value) ?? "");
    };
    for (const [line, chip] of this.named.entries()) {
      chip.say(index === null ? (chart?.whole[line] ?? "") : at(line, index));
    }
  }

  private show(line: number, shown: boolean): void {
    this.plot.uplot?.setSeries(line + 1, { show: shown });
  }

  private keep(): void {
    const { chart } = this;
    if (chart && this.plot.uplot) download(picture(this.plot.uplot, chart.title, chart.lines), chart.title);
  }
}

export class TimeCharts {
  readonly element: HTMLElement;
  private readonly when = h("output", { class: "when" });
  private readonly reset = h("button", { type: "button", class: "quiet", hidden: true }, "Reset zoom");
  private readonly grid = h("div", { class: "panes" });
  private readonly panes = new Map<string, Pane>();
  private shown: Pane[] = [];
  private data: TimeData = { times: [], charts: [], spans: [], marks: [] };
  private zoomed: [min: number, max: number] | null = null;

  constructor(private readonly options: Options) {
    this.reset.addEventListener("click", () => this.zoomOut());
    const head = h("div", { class: "charts-head" }, this.when, this.reset);
    this.element = h("div", { class: "charts" }, head, this.grid);
    this.say(null);
  }

  show(data: TimeData): void {
    if (Boolean(data.elapsed) !== Boolean(this.data.elapsed) || data.times[0] !== this.data.times[0]) this.unzoom();
    this.data = data;
    const panes = data.charts.map((chart) => this.pane(chart.title));
    if (panes.some((pane, index) => pane !== this.shown[index]) || panes.length !== this.shown.length) {
      this.grid.replaceChildren(...panes.map((pane) => pane.plot.element));
    }
    this.shown = panes;
    panes.forEach((pane, index) => {
      const chart = data.charts[index];
      if (chart) this.fill(pane, chart);
    });
    if (this.zoomed) this.scale(...this.zoomed);
    const at = this.pointed();
    for (const pane of panes) pane.say(at);
    this.say(at);
  }

  /** The chart of this title, for what others draw over it. */
  plot(title: string): Plot | null {
    return this.panes.get(title)?.plot ?? null;
  }

  private pane(title: string): Pane {
    const pane = this.panes.get(title) ?? new Pane(title, this.options.pictures ?? false);
    this.panes.set(title, pane);
    return pane;
  }

  private fill(pane: Pane, chart: TimeChart): void {
    const points: uPlot.AlignedData = [this.data.times, ...chart.columns];
    const isSame = pane.isLike(chart);
    if (!isSame) pane.name(chart);
    pane.take(chart);
    if (isSame && pane.plot.uplot) pane.plot.update(points, !this.zoomed);
    else pane.plot.draw(this.drawn(pane, chart), points);
  }

  private drawn(pane: Pane, chart: TimeChart): Omit<uPlot.Options, "width"> {
    const setCursor = ({ cursor }: uPlot) => {
      const index = cursor.left === undefined || cursor.left < 0 ? null : (cursor.idx ?? null);
      pane.say(index);
      this.say(index);
    };
    const setScale = ({ scales }: uPlot, key: string) => {
      const { min, max } = scales.x ?? {};
      if (key === "x" && min != null && max != null) this.zoom(min, max);
    };
    const room = chart.room ?? 1.15;
    const isFirst = this.shown[0] === pane;
    return {
      height: HEIGHT,
      padding: [6, 30, 0, 0],
      legend: { show: false },
      cursor: { sync: { key: "time" }, y: false, points: { size: 6 }, drag: { x: true, y: false } },
      scales: { x: { time: true }, y: { range: (_u, _min, max) => [0, max > 0 ? max * room : 1] } },
      axes: [
        axis({
          values: (_u, splits) => splits.map(this.data.elapsed ? elapsed : timeOfDay),
          size: 32,
          incrs: STEPS,
          space: 66,
          grid: { show: false },
        }),
        axis({ size: 64, values: (_u, splits) => splits.map(chart.unit) }),
      ],
      series: [{}, ...chart.lines.map(series)],
      plugins: [
        bands(() => this.data.spans, this.options.shaded.name, this.options.shaded.tint),
        marks(() => this.data.marks, isFirst),
      ],
      hooks: { setCursor: [setCursor], setScale: [setScale] },
    };
  }

  /** What is pointed at, in whichever of them. */
  private pointed(): number | null {
    const cursor = this.shown[0]?.plot.uplot?.cursor;
    return !cursor || cursor.left === undefined || cursor.left < 0 ? null : (cursor.idx ?? null);
  }

  /** Heard from each of them, whoever set its scale. */
  private zoom(min: number, max: number): void {
    if (min <= this.first && max >= this.last) {
      this.unzoom();
      return;
    }
    if (this.zoomed?.[0] === min && this.zoomed[1] === max) return;
    this.zoomed = [min, max];
    this.reset.hidden = false;
    this.scale(min, max);
  }

  private zoomOut(): void {
    this.unzoom();
    this.scale(this.first, this.last);
  }

  private unzoom(): void {
    this.zoomed = null;
    this.reset.hidden = true;
  }

  private get first(): number {
    return this.data.times[0] ?? 0;
  }

  private get last(): number {
    return this.data.times.at(-1) ?? 1;
  }

  private scale(min: number, max: number): void {
    for (const { plot } of this.shown) plot.uplot?.setScale("x", { min, max });
  }

  private say(index: number | null): void {
    const { times, spans, marks, elapsed: isElapsed } = this.data;
    const time = index === null ? undefined : times[index];
    if (index === null || time === undefined) {
      this.when.textContent = "Point at a chart for its values; drag to zoom.";
      return;
    }
    const at = isElapsed
      ? `${elapsed(time)} after the start`
      : `${timeOfDay(time)}, ${clock(time - (this.data.start ?? this.first))} in`;
    const inside = spans.some(([start, end]) => start < time && time <= end) ? [this.options.shaded.name] : [];
    const [before, after] = [times[index - 1] ?? time, times[index + 1] ?? time];
    const near = marks.filter((mark) => mark.at > (before + time) / 2 && mark.at <= (time + after) / 2);
    const facts = [...inside, ...near.map((mark) => `“${mark.text}”`)];
    this.when.textContent = facts.length > 0 ? `${at}: ${facts.join(", ")}` : at;
  }
}

function signature({ title, lines, room }: TimeChart): string {
  return JSON.stringify([title, room, lines.map(({ label, color, filled, dash }) => [label, color, filled, dash])]);
}

export function timeOfDay(seconds: number): string {
  return new Date(seconds * 1000).toLocaleTimeString("en-GB");
}

/** `0:05`, `12:30`, `1:02:03`. */
export function elapsed(seconds: number): string {
  const total = Math.round(seconds);
  const two = (value: number) => String(value).padStart(2, "0");
  const [hours, minutes] = [Math.floor(total / 3600), Math.floor(total / 60) % 60];
  return hours > 0 ? `${hours}:${two(minutes)}:${two(total % 60)}` : `${minutes}:${two(total % 60)}`;
}
