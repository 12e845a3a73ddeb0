/** Response time and throughput against the number of users, and the knee, if there is one. */

import type { Knee, KneePoint } from "../../report/data";
import { h } from "../dom";
import { duration, percent, rate, whole } from "../format";
import { color } from "../theme";
import { axis, Chip, type Line, Plot, series } from "./plot";
import uPlot from "./uplot";

const LINES: (Line & { value: (point: KneePoint) => number })[] = [
  { label: "Requests per second", color: "rps", show: rate, scale: "rps", value: (point) => point.rps },
  { label: "Median", color: "p50", show: duration, value: (point) => point.p50_ms },
  { label: "95th percentile", color: "p95", show: duration, value: (point) => point.p95_ms },
];

const HEIGHT = 320;

/** Fewer points are no line. */
export const FEWEST_POINTS = 3;

export class Concurrency {
  readonly plot: Plot;
  private readonly chips = LINES.map(
    (line, index) => new Chip(line, (shown) => this.plot.uplot?.setSeries(index + 1, { show: shown })),
  );
  private readonly at = h("output", { class: "when" });
  private knee: Knee | null = null;

  constructor() {
    const head = h("div", { class: "chips" }, ...this.chips.map((chip) => chip.element), this.at);
    this.plot = new Plot("Response times and throughput by users", head, "");
  }

  show(knee: Knee): void {
    this.knee = knee;
    this.plot.place.setAttribute("aria-label", words(knee));
    const points: uPlot.AlignedData = [
      knee.points.map((point) => point.users),
      ...LINES.map((line) => knee.points.map(line.value)),
    ];
    if (this.plot.uplot) this.plot.update(points);
    else this.plot.draw(this.options(), points);
  }

  private say(index: number | null): void {
    const point = index === null ? undefined : this.knee?.points[index];
    this.at.textContent = point ? `${whole(point.users)} users` : "";
    for (const [place, line] of LINES.entries()) this.chips[place]?.say(point ? line.show(line.value(point)) : "");
  }

  private options(): Omit<uPlot.Options, "width"> {
    const fromZero: uPlot.Range.Function = (_u, _min, max) => [0, max > 0 ? max * 1.08 : 1];
    const setCursor = ({ cursor }: uPlot) =>
      this.say(cursor.left === undefined || cursor.left < 0 ? null : (cursor.idx ?? null));
    return {
      height: HEIGHT,
      padding: [8, 12, 0, 0],
      legend: { show: false },
      cursor: { y: false, drag: { x: false, y: false }, points: { size: 6 } },
      scales: {
        x: { time: false, range: (_u, _min, max) => [0, max * 1.02] },
        y: { range: fromZero },
        rps: { range: fromZero },
      },
      axes: [
        axis({ size: 32, label: "Users", labelSize: 18, grid: { show: false } }),
        axis({ size: 68, label: "Response time", labelSize: 18, values: (_u, splits) => splits.map(duration) }),
        axis({ scale: "rps", side: 1, size: 62, label: "Requests per second", labelSize: 18, grid: { show: false } }),
      ],
      series: [{}, ...LINES.map((line) => series({ ...line, dotted: true }))],
      plugins: [{ hooks: { draw: (chart) => this.mark(chart) } }],
      hooks: { setCursor: [setCursor] },
    };
  }

  /** A line across the chart with a name, where there is a knee. */
  private mark(chart: uPlot): void {
    const users = this.knee?.found ? this.knee.users : undefined;
    if (users !== undefined) mark(chart, users, `knee: ${whole(users)} users`);
  }
}

export function words(knee: Knee): string {
  if (!knee.found) return `No knee is claimed: ${knee.reason ?? "there is none"}.`;
  const gain = knee.gain_beyond === undefined ? "" : ` Beyond it, a user more adds ${gained(knee.gain_beyond)}.`;
  const times = knee.p95_ms === undefined ? "" : `, with a 95th percentile of ${duration(knee.p95_ms)}`;
  return `The knee is at ${whole(knee.users ?? 0)} users and ${rate(knee.rps ?? 0)} requests per second${times}.${gain}`;
}

function gained(share: number): string {
  return share <= 0 ? "nothing" : `${percent(share)} of what one added before`;
}

function mark(chart: uPlot, users: number, name: string): void {
  const { ctx, bbox } = chart;
  const at = Math.round(chart.valToPos(users, "x", true));
  const ratio = uPlot.pxRatio;
  ctx.save();
  ctx.strokeStyle = color("knee");
  ctx.fillStyle = color("knee");
  ctx.lineWidth = 1.5 * ratio;
  ctx.setLineDash([6 * ratio, 4 * ratio]);
  ctx.beginPath();
  ctx.moveTo(at, bbox.top);
  ctx.lineTo(at, bbox.top + bbox.height);
  ctx.stroke();
  ctx.font = `600 ${12 * ratio}px system-ui, sans-serif`;
  ctx.textBaseline = "top";
  const isLeft = at + ctx.measureText(name).width + 8 * ratio < bbox.left + bbox.width;
  ctx.textAlign = isLeft ? "left" : "right";
  ctx.fillText(name, at + (isLeft ? 6 : -6) * ratio, bbox.top + 4 * ratio);
  ctx.restore();
}
