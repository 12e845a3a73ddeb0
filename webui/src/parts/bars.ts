/** Bars of several parts, one a row, all on the same scale. */

import { h } from "./dom";
import { milliseconds } from "./format";

export interface Part {
  name: string;
  /** What its colour is called in the style sheet. */
  color: string;
}

/** `scale` is the value of the longest bar: that one is as wide as there is room. */
export function stackedBar(parts: Part[], values: number[], scale: number): HTMLElement {
  const pieces = parts.map((part, index) => {
    const value = values[index] ?? 0;
    const piece = h("span", { title: `${part.name}: ${milliseconds(value)} ms` });
    piece.style.width = `${scale > 0 ? (100 * value) / scale : 0}%`;
    piece.style.background = `var(--${part.color})`;
    return piece;
  });
  const said = parts.map((part, index) => `${part.name} ${milliseconds(values[index] ?? 0)} ms`).join(", ");
  return h("div", { class: "stack", role: "img", "aria-label": said }, ...pieces);
}

export function legend(parts: Part[]): HTMLElement {
  return h("ul", { class: "legend" }, ...parts.map((part) => h("li", {}, swatch(part.color), part.name)));
}

export function swatch(color: string): HTMLElement {
  const mark = h("span", { class: "swatch", "aria-hidden": "true" });
  mark.style.background = `var(--${color})`;
  return mark;
}

/** A share of one as a thin line behind its number. */
export function share(value: number, text: string): HTMLElement {
  const bar = h("span", { class: "share" }, text);
  bar.style.setProperty("--share", `${Math.min(100, value * 100)}%`);
  return bar;
}
