/** What the run was started with: enough to start it again. */

import { h } from "../parts/dom";
import { type Section, section } from "../parts/section";
import type { Run } from "./data";

export function options(run: Run): Section | null {
  const { random_seed: _, ...others } = run.options;
  const given = Object.entries(others).toSorted(([a], [b]) => a.localeCompare(b));
  // Also one that was drawn (`--seed auto`), or that the locustfile set.
  if (run.seed !== null) given.push(["seed", run.seed]);
  if (given.length === 0) return null;
  const lines = given.map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, shown(value))));
  const note = "Options that differ from their defaults, without secret ones.";
  return section("options", "Options", note, h("dl", { class: "options" }, ...lines));
}

function shown(value: unknown): string {
  if (Array.isArray(value)) return value.map(shown).join(", ");
  return typeof value === "string" ? value : JSON.stringify(value);
}
