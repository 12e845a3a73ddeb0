/** Moments of a chart over time that have a name: a line across it, and the name where there is room. */

import { color } from "../theme";
import uPlot from "./uplot";

export interface Mark {
  /** On the chart's axis. */
  at: number;
  text: string;
  /** What its colour is called in the style sheet. */
  color: string;
}

const LONGEST = 28;

export function marks(all: () => Mark[], isNamed: boolean): uPlot.Plugin {
  return {
    hooks: {
      draw: (chart) => {
        const { ctx, bbox } = chart;
        const ratio = uPlot.pxRatio;
        ctx.save();
        ctx.beginPath();
        ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
        ctx.clip();
        ctx.font = `600 ${11 * ratio}px system-ui, sans-serif`;
        ctx.textBaseline = "bottom";
        let free = bbox.left;
        for (const mark of all()) {
          const at = Math.round(chart.valToPos(mark.at, "x", true));
          line(ctx, at, bbox, mark, ratio);
          if (isNamed) free = name(ctx, at, bbox, mark, ratio, free);
        }
        ctx.restore();
      },
    },
  };
}

function line(ctx: CanvasRenderingContext2D, at: number, bbox: uPlot.BBox, mark: Mark, ratio: number): void {
  ctx.strokeStyle = color(mark.color);
  ctx.lineWidth = 1.5 * ratio;
  ctx.setLineDash([4 * ratio, 3 * ratio]);
  ctx.beginPath();
  ctx.moveTo(at, bbox.top);
  ctx.lineTo(at, bbox.top + bbox.height);
  ctx.stroke();
}

/** Gives from where on there is room for the next one. */
function name(
  ctx: CanvasRenderingContext2D,
  at: number,
  bbox: uPlot.BBox,
  mark: Mark,
  ratio: number,
  free: number,
): number {
  const text = shortened(mark.text, LONGEST);
  const width = ctx.measureText(text).width;
  const right = bbox.left + bbox.width;
  const isLeft = at + width + 8 * ratio > right;
  const start = isLeft ? at - 4 * ratio - width : at + 4 * ratio;
  if (start < free || at < bbox.left || at > right) return free;
  ctx.setLineDash([]);
  ctx.lineWidth = 3 * ratio;
  ctx.lineJoin = "round";
  ctx.strokeStyle = color("card");
  ctx.fillStyle = color(mark.color);
  ctx.textAlign = "left";
  const bottom = bbox.top + bbox.height - 3 * ratio;
  ctx.strokeText(text, start, bottom);
  ctx.fillText(text, start, bottom);
  return start + width + 8 * ratio;
}

export function shortened(text: string, longest: number): string {
  return text.length <= longest ? text : `${text.slice(0, longest - 1).trimEnd()}…`;
}
