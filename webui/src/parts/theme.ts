/** Light and dark: the reader's system decides, until the reader does. Paper is always light. */

import { h } from "./dom";

export type Theme = "light" | "dark";

const KEPT = "theme";
const listeners: (() => void)[] = [];
const dark = matchMedia("(prefers-color-scheme: dark)");
const print = matchMedia("print");

/** Asked for by the page itself (`window.theme`), then by the reader on an earlier visit. */
export function startTheme(asked: string | undefined): void {
  const wanted = isTheme(asked) ? asked : kept();
  if (wanted) document.documentElement.dataset.theme = wanted;
  dark.addEventListener("change", tell);
  print.addEventListener("change", tell);
}

/** Canvases do not follow style sheets: whoever draws on one is told when to draw again. */
export function onThemeChange(listener: () => void): void {
  listeners.push(listener);
}

const probe = h("span", { hidden: true });

/** Of the present theme: to look one up has the browser lay out the page. */
const resolved = new Map<string, string>();

/** What the style sheet's colour of this name is in the present theme, as canvases understand it. */
export function color(name: string, opacity = 1): string {
  const plain = resolved.get(name) ?? resolve(name);
  return opacity === 1 ? plain : plain.replace(/^rgb\((.*)\)$/, `rgba($1, ${opacity})`);
}

function resolve(name: string): string {
  // An element's computed colour is resolved; a custom property's value is as it was written.
  if (!probe.isConnected) document.body.append(probe);
  probe.style.color = `var(--${name})`;
  const found = getComputedStyle(probe).color;
  resolved.set(name, found);
  return found;
}

export function themeSwitch(): HTMLElement {
  const button = h("button", { type: "button", class: "quiet theme", click: toggleTheme });
  const label = () => {
    const other = theme() === "dark" ? "light" : "dark";
    button.textContent = other === "dark" ? "Dark" : "Light";
    button.setAttribute("aria-label", `Switch to the ${other} theme`);
  };
  label();
  onThemeChange(label);
  return button;
}

export function theme(): Theme {
  const chosen = document.documentElement.dataset.theme;
  if (isTheme(chosen)) return chosen;
  return dark.matches ? "dark" : "light";
}

export function toggleTheme(): void {
  const next = theme() === "dark" ? "light" : "dark";
  document.documentElement.dataset.theme = next;
  keep(next);
  tell();
}

function tell(): void {
  resolved.clear();
  for (const listener of listeners) listener();
}

function isTheme(value: string | null | undefined): value is Theme {
  return value === "light" || value === "dark";
}

/** A file opened from disk may have no storage: then the choice is for this visit. */
function kept(): Theme | null {
  try {
    const value = localStorage.getItem(KEPT);
    return isTheme(value) ? value : null;
  } catch {
    return null;
  }
}

function keep(value: Theme): void {
  try {
    localStorage.setItem(KEPT, value);
  } catch {
    // As above.
  }
}
