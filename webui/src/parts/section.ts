/** A part of a page with a heading that the navigation leads to. */

import { type Child, h } from "./dom";

export interface Section {
  id: string;
  title: string;
  element: HTMLElement;
}

export function section(id: string, title: string, note: Child, ...children: Child[]): Section {
  const heading = h("h2", { id: `${id}-title` }, title);
  const lead = note ? h("p", { class: "note" }, note) : null;
  return { id, title, element: h("section", { id, "aria-labelledby": `${id}-title` }, heading, lead, ...children) };
}

export function navigation(sections: Section[]): HTMLElement {
  const links = sections.map(({ id, title }) => h("li", {}, h("a", { href: `#${id}` }, title)));
  return h("nav", { "aria-label": "Parts of this page" }, h("ul", {}, ...links));
}
