/** What the run was started with: enough to start it again. */

import { h } from "../parts/dom";
import { type Section, section } from "../parts/section";
import type { Run } from "./data";

export function options(run: Run): Section | null {
  const given = Object.entries(run.options).toSorted(([a], [b]) => a.localeCompare(b));
  if (run.seed !== null) given.push(["seed", run.seed]);
  if (given.length === 0) return null;
  const unique = [...new Map(given)];
  const lines = unique.map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, shown(value))));
  const note = "Options that differ from their defaults, without secret ones.";
  return section("options", "Options", note, h("dl", { class: "options" }, ...lines));
}

function shown(value: unknown): string {
  if (Array.isArray(value)) return value.map(shown).join(", ");
  return typeof value === "string" ? value : JSON.stringify(value);
}
