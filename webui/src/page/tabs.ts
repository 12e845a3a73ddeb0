/** Which tab is open. The address says it, so that a reload, a bookmark and the browser's Back lead where one was. */

import { computed, signal } from "@preact/signals";
import { args } from "./data/args";
import { store } from "./data/store";

export interface Tab {
  key: string;
  title: string;
}

const BUILT_IN: Tab[] = [
  { key: "stats", title: "Statistics" },
  { key: "charts", title: "Charts" },
  { key: "failures", title: "Failures" },
  { key: "exceptions", title: "Exceptions" },
  { key: "ratios", title: "Current Ratio" },
  { key: "reports", title: "Download Data" },
  { key: "logs", title: "Logs" },
];

const WORKERS: Tab = { key: "workers", title: "Workers" };

export const tabs = computed<Tab[]>(() => {
  const isDistributed = args.value.is_distributed || store.state.value.is_distributed;
  return [...BUILT_IN, ...(isDistributed ? [WORKERS] : []), ...(args.value.extended_tabs ?? [])];
});

const asked = signal(inAddress());

/** The open one: the first where the address names none that there is. */
export const tab = computed(() => tabs.value.find(({ key }) => key === asked.value)?.key ?? "stats");

addEventListener("popstate", () => {
  asked.value = inAddress();
});

/** `more` stands in the address beside it: what the tab is to show first. */
export function openTab(key: string, more: Record<string, string> = {}): void {
  const query = new URLSearchParams({ tab: key, ...more });
  const address = `?${query}`;
  if (location.search !== address) history.pushState(null, "", address);
  asked.value = key;
}

function inAddress(): string | null {
  return new URLSearchParams(location.search).get("tab");
}
