/** How the target took to more users. */

import { Concurrency, FEWEST_POINTS, words } from "../parts/chart/concurrency";
import { h } from "../parts/dom";
import { type Section, section } from "../parts/section";
import type { Knee } from "./data";

export function concurrency(knee: Knee | null): Section | null {
  if (!knee) return null;
  const said = words(knee);
  if (knee.points.length < FEWEST_POINTS)
    return section("concurrency", "Against concurrency", null, h("p", { class: "none" }, said));
  const chart = new Concurrency();
  chart.show(knee);
  const method = h("p", { class: "note" }, `Method: ${knee.method}.`);
  return section("concurrency", "Against concurrency", said, chart.plot.element, method);
}
