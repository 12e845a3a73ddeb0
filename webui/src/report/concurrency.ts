/** Response time and throughput against the number of users, and the knee, if there is one. */

import uPlot from "uplot";
import { axis, Chip, type Line, Plot, series } from "../parts/chart/plot";
import { h } from "../parts/dom";
import { duration, percent, rate, whole } from "../parts/format";
import { type Section, section } from "../parts/section";
import { color } from "../parts/theme";
import type { Knee, KneePoint } from "./data";

const LINES: (Line & { value: (point: KneePoint) => number })[] = [
  { label: "Requests per second", color: "rps", show: rate, scale: "rps", value: (point) => point.rps },
  { label: "Median", color: "p50", show: duration, value: (point) => point.p50_ms },
  { label: "95th percentile", color: "p95", show: duration, value: (point) => point.p95_ms },
];

const HEIGHT = 320;

export function concurrency(knee: Knee | null): Section | null {
  if (!knee) return null;
  const said = words(knee);
  if (knee.points.length < 3)
    return section("concurrency", "Against concurrency", null, h("p", { class: "none" }, said));
  const chips = LINES.map(
    (line, index) => new Chip(line, (shown) => plot.uplot?.setSeries(index + 1, { show: shown })),
  );
  const at = h("output", { class: "when" });
  const head = h("div", { class: "chips" }, ...chips.map((chip) => chip.element), at);
  const plot = new Plot("Response times and throughput by users", head, said);
  const say = (index: number | null) => {
    const point = index === null ? undefined : knee.points[index];
    at.textContent = point ? `${whole(point.users)} users` : "";
    for (const [place, line] of LINES.entries()) chips[place]?.say(point ? line.show(line.value(point)) : "");
  };
  plot.draw(options(knee, say), [
    knee.points.map((point) => point.users),
    ...LINES.map((line) => knee.points.map(line.value)),
  ]);
  const method = h("p", { class: "note" }, `Method: ${knee.method}.`);
  return section("concurrency", "Against concurrency", said, plot.element, method);
}

function words(knee: Knee): string {
  if (!knee.found) return `No knee is claimed: ${knee.reason ?? "there is none"}.`;
  const gain = knee.gain_beyond === undefined ? "" : ` Beyond it, a user more adds ${gained(knee.gain_beyond)}.`;
  const times = knee.p95_ms === undefined ? "" : `, with a 95th percentile of ${duration(knee.p95_ms)}`;
  return `The knee is at ${whole(knee.users ?? 0)} users and ${rate(knee.rps ?? 0)} requests per second${times}.${gain}`;
}

function gained(share: number): string {
  return share <= 0 ? "nothing" : `${percent(share)} of what one added before`;
}

function options(knee: Knee, say: (index: number | null) => void): Omit<uPlot.Options, "width"> {
  const fromZero: uPlot.Range.Function = (_u, _min, max) => [0, max > 0 ? max * 1.08 : 1];
  const setCursor = ({ cursor }: uPlot) =>
    say(cursor.left === undefined || cursor.left < 0 ? null : (cursor.idx ?? null));
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
    plugins: knee.found && knee.users !== undefined ? [mark(knee.users, `knee: ${whole(knee.users)} users`)] : [],
    hooks: { setCursor: [setCursor] },
  };
}

/** A line across the chart with a name. */
function mark(users: number, name: string): uPlot.Plugin {
  const draw = (chart: uPlot) => {
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
  };
  return { hooks: { draw } };
}
