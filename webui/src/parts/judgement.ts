/** What a run is worth: its checks, and what there is to say of it in a few sentences. */

import type { Check, Word } from "../report/data";
import { h } from "./dom";
import { scrolled } from "./table";

const WEIGHTS = { bad: "Problem", warning: "Caution", note: "Note" };

export function words(said: Word[]): HTMLElement | null {
  if (said.length === 0) return null;
  const line = (word: Word) =>
    h(
      "li",
      { class: `word ${word.weight}` },
      h("strong", { class: "tag" }, WEIGHTS[word.weight]),
      h("span", {}, ...quoted(word.text)),
    );
  return h("ul", { class: "words" }, ...said.map(line));
}

/** What stands in backticks is somebody's own word. */
export function quoted(text: string): (HTMLElement | string)[] {
  return text.split("`").map((part, index) => (index % 2 === 1 ? h("code", {}, part) : part));
}

export function checks(all: Check[]): HTMLElement | null {
  if (all.length === 0) return null;
  const head = ["", "Where", "Check", "Measured", ""].map((title) =>
    title ? h("th", { scope: "col", class: title === "Measured" ? "number" : "text" }, title) : h("td"),
  );
  const line = (check: Check) =>
    h(
      "tr",
      {},
      h(
        "td",
        { class: check.passed ? "passed" : "failed" },
        h("strong", { class: "tag" }, check.passed ? "✓ held" : "✕ broken"),
      ),
      h("td", { class: "name" }, check.entry ?? "All requests"),
      h("td", {}, h("code", {}, check.condition)),
      h("td", { class: "number" }, check.shown),
      h("td", {}, check.remark),
    );
  const caption = h("caption", {}, "Checks");
  const table = h("table", {}, caption, h("thead", {}, h("tr", {}, ...head)), h("tbody", {}, ...all.map(line)));
  return h("div", { class: "table checks" }, scrolled("Checks", table));
}
