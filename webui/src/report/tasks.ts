/** How users and their tasks share the load. */

import { share } from "../parts/bars";
import { h } from "../parts/dom";
import { type Section, section } from "../parts/section";
import { scrolled } from "../parts/table";
import type { Ratio, TemplateArgs } from "./data";

interface Line {
  name: string;
  depth: number;
  within: number;
  ofAll: number;
}

export function tasks({ tasks }: TemplateArgs): Section | null {
  const lines = flat(tasks.per_class, tasks.total, 0);
  if (lines.length === 0) return null;
  const head = ["User or task", "Within", "Of all"].map((title, index) =>
    h("th", { scope: "col", class: index ? "number" : "" }, title),
  );
  const rows = lines.map((line) => {
    const name = h("td", { class: line.depth === 0 ? "user" : "task" }, line.name);
    name.style.setProperty("--depth", String(line.depth));
    const cells = [line.within, line.ofAll].map((ratio) =>
      h("td", { class: "number" }, share(ratio, `${(ratio * 100).toFixed(1)} %`)),
    );
    return h("tr", {}, name, ...cells);
  });
  const table = h(
    "table",
    {},
    h("caption", {}, "Tasks"),
    h("thead", {}, h("tr", {}, ...head)),
    h("tbody", {}, ...rows),
  );
  const note =
    "The share of each class among the users, and how often each task is picked: within its class, and of all tasks.";
  return section("tasks", "Tasks", note, h("div", { class: "table ratios" }, scrolled("Tasks", table)));
}

function flat(within: Record<string, Ratio>, ofAll: Record<string, Ratio>, depth: number): Line[] {
  return Object.entries(within).flatMap(([name, own]) => {
    const whole = ofAll[name];
    const line = { name, depth, within: own.ratio, ofAll: whole?.ratio ?? 0 };
    return [line, ...flat(own.tasks ?? {}, whole?.tasks ?? {}, depth + 1)];
  });
}
