/** What Locust logs, as it comes. */

import { computed, signal } from "@preact/signals";
import { useLayoutEffect, useRef } from "preact/hooks";
import { matcher } from "../../parts/filter";
import { isAtLeast, LEVELS, type Level, levelOf, unseen } from "../data/logs";
import { store } from "../data/store";
import { FilterBox } from "./filter-box";

const KEPT = "last-seen-log";
const filter = signal("");
const level = signal<Level>("DEBUG");
const isFollowing = signal(true);
const lastSeen = signal<string | null>(sessionStorage.getItem(KEPT));

/** Warnings and worse that nobody has looked at. */
export const unseenLogs = computed(() => unseen(store.logs.value, lastSeen.value));

export function Logs() {
  const lines = store.logs.value;
  const last = lines.at(-1) ?? null;
  useLayoutEffect(() => {
    if (last === null) return;
    lastSeen.value = last;
    sessionStorage.setItem(KEPT, last);
  }, [last]);
  return (
    <div class="fill">
      <div class="toolbar">
        <FilterBox label="Filter the log" typed={filter} />
        <label class="pick">
          Level
          <select
            value={level.value}
            onChange={(event) => {
              level.value = event.currentTarget.value as Level;
            }}
          >
            {LEVELS.map((each) => (
              <option key={each} value={each}>
                {each === "DEBUG" ? "all" : `${each.toLowerCase()}${each === "CRITICAL" ? "" : " and worse"}`}
              </option>
            ))}
          </select>
        </label>
        <label class="pick">
          <input
            type="checkbox"
            checked={isFollowing.value}
            onChange={(event) => {
              isFollowing.value = event.currentTarget.checked;
            }}
          />
          Follow
        </label>
      </div>
      <Lines lines={lines} isMain />
      {Object.entries(store.workerLogs.value).map(([worker, sent]) => (
        <details key={worker} class="card worker-log">
          <summary>
            Worker {worker}
            {unseen(sent, null) > 0 && <span class="badge">{unseen(sent, null)}</span>}
          </summary>
          <Lines lines={sent} />
        </details>
      ))}
    </div>
  );
}

function Lines({ lines, isMain = false }: { lines: string[]; isMain?: boolean }) {
  const box = useRef<HTMLElement>(null);
  const matches = matcher(filter.value);
  const shown = lines.filter((line) => isAtLeast(line, level.value) && matches(line));
  useLayoutEffect(() => {
    const element = box.current;
    if (element && isMain && isFollowing.value) element.scrollTop = element.scrollHeight;
  }, [shown.length, shown.at(-1), isFollowing.value, isMain]);
  const scrolled = () => {
    const element = box.current;
    // Who scrolls up wants to read; who scrolls back down wants the latest again.
    if (element && isMain) isFollowing.value = element.scrollTop + element.clientHeight >= element.scrollHeight - 8;
  };
  if (shown.length === 0)
    return <p class="none">{lines.length === 0 ? "Nothing was logged." : "No line is like that."}</p>;
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached with the keyboard.
    <section class="log" ref={box} tabIndex={0} aria-label={isMain ? "Log" : "Log of the worker"} onScroll={scrolled}>
      {shown.map((line, index) => (
        <div key={index} class={`line ${levelOf(line).toLowerCase()}`}>
          {line}
        </div>
      ))}
    </section>
  );
}
