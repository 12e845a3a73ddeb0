/** What somebody said of moments, below the charts in which they are marked. */

import type { Annotation } from "../report/data";
import { timeOfDay } from "./chart/time";
import { h } from "./dom";
import { clock } from "./format";

/** What their colour is called in the style sheet. */
export const ANNOTATION = "annotation";

/** `start` is that of the run, in seconds of the Unix epoch. */
export function annotations(all: Annotation[], start: number): HTMLElement | null {
  if (all.length === 0) return null;
  const line = ({ time, text }: Annotation) =>
    h("li", {}, h("span", { class: "moment" }, `${timeOfDay(time)}, ${clock(Math.max(0, time - start))} in`), text);
  return h("ul", { class: "annotations", "aria-label": "Annotations" }, ...all.map(line));
}
