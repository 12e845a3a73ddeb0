/** A chart as a picture: what is drawn, with its title and the names of its lines, on the page's own ground. */

import type uPlot from "uplot";
import { color } from "../theme";
import type { Line } from "./plot";

const HEAD = 52;

export function picture(chart: uPlot, title: string, lines: Line[]): HTMLCanvasElement {
  const source = chart.ctx.canvas;
  const ratio = source.width / chart.width;
  const canvas = document.createElement("canvas");
  canvas.width = source.width;
  canvas.height = source.height + HEAD * ratio;
  const ctx = canvas.getContext("2d");
  if (!ctx) return canvas;
  ctx.fillStyle = color("card");
  ctx.fillRect(0, 0, canvas.width, canvas.height);
  ctx.drawImage(source, 0, HEAD * ratio);
  ctx.scale(ratio, ratio);
  ctx.textBaseline = "middle";
  ctx.fillStyle = color("text");
  ctx.font = "600 15px system-ui, sans-serif";
  ctx.fillText(title, 12, 16);
  ctx.font = "12px system-ui, sans-serif";
  let left = 12;
  for (const line of lines) {
    ctx.fillStyle = color(line.color);
    ctx.fillRect(left, 34, 11, 11);
    ctx.fillStyle = color("muted");
    ctx.fillText(line.label, left + 16, 40);
    left += 16 + ctx.measureText(line.label).width + 16;
  }
  return canvas;
}

/** Have the browser keep it under this name. */
export function download(canvas: HTMLCanvasElement, name: string): void {
  canvas.toBlob((blob) => {
    if (!blob) return;
    const address = URL.createObjectURL(blob);
    const link = document.createElement("a");
    link.href = address;
    link.download = `${name.toLowerCase().replace(/[^a-z0-9]+/g, "-")}.png`;
    link.click();
    URL.revokeObjectURL(address);
  }, "image/png");
}
