/** The tabs, as ARIA knows them: arrows go from one to the next. */

import { useEffect, useRef } from "preact/hooks";
import { store } from "../data/store";
import { openTab, type Tab, tab, tabs } from "../tabs";
import { unseenLogs } from "../tabs/logs";

export function TabBar() {
  const bar = useRef<HTMLDivElement>(null);
  const open = tab.value;
  // Counts make tabs wider, and push the open one out of sight.
  const widths = tabs.value.map(({ key }) => shownCount(key).length).join();
  useEffect(() => {
    bar.current
      ?.querySelector(`[data-tab="${CSS.escape(open)}"]`)
      ?.scrollIntoView({ block: "nearest", inline: "nearest" });
  }, [open, widths]);
  const move = (event: KeyboardEvent) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    const all = tabs.value;
    const next = all[(all.findIndex(({ key }) => key === open) + step + all.length) % all.length];
    if (!next) return;
    event.preventDefault();
    openTab(next.key);
    bar.current?.querySelector<HTMLElement>(`[data-tab="${CSS.escape(next.key)}"]`)?.focus();
  };
  return (
    <div class="tabs" role="tablist" aria-label="Views of the test" ref={bar} onKeyDown={move} tabIndex={-1}>
      {tabs.value.map((each) => (
        <TabButton key={each.key} tab={each} isOpen={each.key === open} />
      ))}
    </div>
  );
}

function TabButton({ tab: { key, title }, isOpen }: { tab: Tab; isOpen: boolean }) {
  const count = shownCount(key);
  return (
    <button
      type="button"
      role="tab"
      id={`tab-${key}`}
      data-tab={key}
      aria-selected={isOpen}
      aria-controls="panel"
      tabIndex={isOpen ? 0 : -1}
      onClick={() => openTab(key)}
    >
      {title}
      {count && <span class="badge">{count}</span>}
    </button>
  );
}

/** What a tab has that somebody should look at. */
const counts: Record<string, () => number> = {
  failures: () => store.failures.value.length,
  exceptions: () => store.exceptions.value.length,
  logs: () => (tab.value === "logs" ? 0 : unseenLogs.value),
};

function shownCount(key: string): string {
  const count = counts[key]?.() ?? 0;
  return count === 0 ? "" : count > 999 ? "999+" : String(count);
}
