/** Stretches of a chart that are shaded and named: what is drawn there is not what it seems. */

import { color } from "../theme";
import uPlot from "./uplot";

/** Where the load was less than asked for. */
export const SATURATED = { name: "generator saturated", tint: "saturated" };

export type Span = readonly [start: number, end: number];

export function bands(spans: () => Span[], name: string, tint: string): uPlot.Plugin {
  // Shades below the lines, names above them.
  return {
    hooks: {
      drawClear: (chart) => within(chart, (ctx) => shade(chart, ctx, spans(), tint)),
      draw: (chart) => within(chart, (ctx) => write(chart, ctx, spans(), name, tint)),
    },
  };
}

function within(chart: uPlot, draw: (ctx: CanvasRenderingContext2D) => void): void {
  const { ctx, bbox } = chart;
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
  draw(ctx);
  ctx.restore();
}

function shade(chart: uPlot, ctx: CanvasRenderingContext2D, spans: Span[], tint: string): void {
  ctx.fillStyle = color(tint, 0.18);
  for (const [start, end] of spans) {
    const left = chart.valToPos(start, "x", true);
    const width = Math.max(2, chart.valToPos(end, "x", true) - left);
    ctx.fillRect(left, chart.bbox.top, width, chart.bbox.height);
  }
}

/** The name of each where there is room for it, and not over another one. */
function write(chart: uPlot, ctx: CanvasRenderingContext2D, spans: Span[], name: string, tint: string): void {
  const { bbox } = chart;
  const ratio = uPlot.pxRatio;
  ctx.font = `${11 * ratio}px system-ui, sans-serif`;
  ctx.textBaseline = "top";
  ctx.textAlign = "left";
  ctx.lineWidth = 3 * ratio;
  ctx.lineJoin = "round";
  ctx.strokeStyle = color("card", 0.8);
  ctx.fillStyle = color(`${tint}-text`);
  const width = ctx.measureText(name).width;
  let free = bbox.left;
  for (const [start] of spans) {
    const at = Math.max(chart.valToPos(start, "x", true), bbox.left) + 3 * ratio;
    if (at < free || at + width > bbox.left + bbox.width) continue;
    ctx.strokeText(name, at, bbox.top + 3 * ratio);
    ctx.fillText(name, at, bbox.top + 3 * ratio);
    free = at + width + 6 * ratio;
  }
}
