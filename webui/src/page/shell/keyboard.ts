/** Keys. They do nothing while something is typed, or with a modifier that is the browser's. */

import { toggleTheme } from "../../parts/theme";
import { stop } from "../actions";
import { store } from "../data/store";
import { openTab, tabs } from "../tabs";
import { can } from "./controls";
import { dialog, openDialog } from "./dialogs";

export interface Key {
  key: string;
  does: string;
  run: () => void;
}

export const KEYS: Key[] = [
  { key: "e", does: "Edit the running test", run: () => can.value.edit && void openDialog("edit") },
  { key: "S", does: "Stop the test (with Shift, as it cannot be undone)", run: () => can.value.stop && void stop() },
  { key: "n", does: "New test, once this one has stopped", run: () => can.value.new && void openDialog("new") },
  { key: "R", does: "Reset the statistics, after a question", run: () => can.value.reset && void openDialog("reset") },
  {
    key: "/",
    does: "Filter the table",
    run: () => document.querySelector<HTMLElement>("#panel input[type=search]")?.focus(),
  },
  { key: "t", does: "Light or dark", run: toggleTheme },
  { key: "?", does: "This help", run: () => void openDialog("help") },
];

export function listenToKeys(): void {
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || dialog.value !== null || isTyping(event.target)) return;
    const found = KEYS.find(({ key }) => key === event.key);
    if (found) found.run();
    else if (!openByNumber(event.key)) return;
    event.preventDefault();
  });
}

function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && target.matches("input:not([type=checkbox]), select, textarea, dialog *");
}

function openByNumber(key: string): boolean {
  const chosen = /^[1-9]$/.test(key) && store.state.value.state !== "ready" ? tabs.value[Number(key) - 1] : undefined;
  if (chosen) openTab(chosen.key);
  return chosen !== undefined;
}
