/** One filter for a whole page: what is typed narrows every table that listens. */

import { h } from "./dom";

export class Filter {
  readonly element: HTMLElement;
  private readonly listeners: ((matches: (text: string) => boolean) => void)[] = [];

  constructor(label: string) {
    const input = h("input", { type: "search", placeholder: label, "aria-label": label, spellcheck: "false" });
    input.addEventListener("input", () => this.tell(input.value));
    this.element = h("div", { role: "search" }, input);
  }

  onChange(listener: (matches: (text: string) => boolean) => void): void {
    this.listeners.push(listener);
  }

  private tell(typed: string): void {
    const matches = matcher(typed);
    for (const listener of this.listeners) listener(matches);
  }
}

/** Every word has to occur, in any order and case; a word behind a minus must not. */
export function matcher(typed: string): (text: string) => boolean {
  const words = typed
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== "" && word !== "-");
  const without = words.filter((word) => word.startsWith("-")).map((word) => word.slice(1));
  const wanted = words.filter((word) => !word.startsWith("-"));
  return (text) => {
    const lower = text.toLowerCase();
    return wanted.every((word) => lower.includes(word)) && !without.some((word) => lower.includes(word));
  };
}
