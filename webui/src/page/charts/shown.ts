/** What the charts show: which entry, which runs beside the present one, and what of these has to be asked for. */

import { computed, effect, signal, untracked } from "@preact/signals";
import { ANNOTATION } from "../../parts/annotations";
import type { Mark } from "../../parts/chart/marks";
import { type TimeData, timeOfDay } from "../../parts/chart/time";
import type { Timeline } from "../../report/data";
import type { RunSummary } from "../data/events";
import { isBusy, store } from "../data/store";
import { type Counted, type Curve, ofTimeline, present, type Quantile, type RunCurves, together } from "./curves";

export interface EntryName {
  method: string;
  name: string;
}

export const entry = signal<EntryName | null>(null);
/** Runs that are shown beside the present one, by their numbers. */
export const beside = signal<ReadonlySet<number>>(new Set());
export const isAligned = signal(true);
export const quantile = signal<Quantile>("p95_ms");

/** How often the entry's columns are asked for while the test runs. */
const EVERY_MS = 3000;

/** What was asked for: by run, and by entry; `null` where the server has none of it. */
const timelines = signal<ReadonlyMap<number, Timeline | null>>(new Map());
const curves = signal<ReadonlyMap<string, Curve | null>>(new Map());

export function entryLabel({ method, name }: EntryName): string {
  return `${method} ${name}`.trim();
}

export function runLabel({ run, profile, started }: RunSummary): string {
  return [`Run ${run}`, profile, timeOfDay(started)].filter(Boolean).join(" · ");
}

const key = (run: number, { method, name }: EntryName) => `${run}\n${method}\n${name}`;

/** The runs that are shown, in their order, the present one last. */
const shownRuns = computed<RunCurves[]>(() => {
  const now = store.timeline.value;
  const chosen = entry.value;
  const others = store.runs.value.filter(({ run }) => beside.value.has(run) && run !== now?.run);
  const curveOf = (run: number, timeline: Timeline) =>
    chosen ? (curves.value.get(key(run, chosen)) ?? null) : ofTimeline(timeline);
  const before = others.flatMap((summary) => {
    const timeline = timelines.value.get(summary.run);
    return timeline
      ? [{ run: summary.run, label: runLabel(summary), timeline, curve: curveOf(summary.run, timeline) }]
      : [];
  });
  if (!now || now.timeline.ends_s.length === 0) return before;
  const summary = store.runs.value.find(({ run }) => run === now.run);
  const label = summary ? runLabel(summary) : `Run ${now.run}`;
  return [...before, { run: now.run, label, timeline: now.timeline, curve: curveOf(now.run, now.timeline) }];
});

const presentRun = computed(() => store.timeline.value?.run);

const marks = computed<Mark[]>(() => {
  const runs = new Set(shownRuns.value.map(({ run }) => run));
  const said = store.annotations.value.filter(({ run }) => runs.has(run));
  return said.map(({ time, text }) => ({ at: time, text, color: ANNOTATION }));
});

export const isCompared = computed(() => shownRuns.value.length > 1);

export const data = computed<TimeData | null>(() => {
  const runs = shownRuns.value;
  const [last] = runs.slice(-1);
  if (!last) return null;
  if (runs.length > 1) return together(runs, quantile.value, marks.value, isAligned.value);
  return present(last, entry.value !== null, marks.value, isBusy(store.state));
});

/** Ask for what is shown and is not here, as long as the charts are open. The function that is returned ends that. */
export function follow(): () => void {
  const endRuns = effect(() => {
    const missing = [...beside.value].filter((run) => !timelines.value.has(run));
    for (const run of missing) untracked(() => void askForRun(run));
  });
  const endEntries = effect(() => {
    const chosen = entry.value;
    if (!chosen) return;
    const runs = [...beside.value, ...(presentRun.value === undefined ? [] : [presentRun.value])];
    const missing = runs.filter((run) => !curves.value.has(key(run, chosen)));
    for (const run of missing) untracked(() => void askForEntry(run, chosen));
  });
  // The present run grows; once more after its end, for its last seconds.
  let wasBusy = false;
  const timer = setInterval(() => {
    const busy = isBusy(store.state);
    const [chosen, run] = [entry.value, presentRun.value];
    if (chosen && run !== undefined && (busy || wasBusy) && !document.hidden) void askForEntry(run, chosen);
    wasBusy = busy;
  }, EVERY_MS);
  // What was asked for of a run that has ended meanwhile may lack its last seconds.
  const endRun = presentRun.subscribe(() => {
    curves.value = new Map();
  });
  const endPruning = effect(() => prune(store.runs.value));
  return () => {
    clearInterval(timer);
    endRuns();
    endEntries();
    endRun();
    endPruning();
  };
}

async function askForRun(run: number): Promise<void> {
  // Noted at once, so that it is asked for once.
  timelines.value = new Map(timelines.value).set(run, null);
  const found = await ask<{ timeline: Timeline }>({ run: String(run) });
  if (found) timelines.value = new Map(timelines.value).set(run, found.timeline);
}

async function askForEntry(run: number, chosen: EntryName): Promise<void> {
  const place = key(run, chosen);
  if (!curves.value.has(place)) curves.value = new Map(curves.value).set(place, null);
  const found = await ask<Counted & { start: number; ends_s: number[] }>({ run: String(run), ...chosen });
  if (found) {
    const { start, ends_s, ...counted } = found;
    curves.value = new Map(curves.value).set(place, { start, ends_s, counted });
  }
}

async function ask<T>(query: Record<string, string>): Promise<T | null> {
  try {
    const answer = await fetch(`./timeline?${new URLSearchParams(query)}`, { redirect: "manual" });
    return answer.ok ? ((await answer.json()) as T) : null;
  } catch {
    return null; // The banner says that the server is gone.
  }
}

/** Forget runs that the server has forgotten, and entries that are not looked at. */
function prune(runs: RunSummary[]): void {
  untracked(() => {
    const kept = new Set(runs.map(({ run }) => run));
    if ([...timelines.value.keys()].some((run) => !kept.has(run))) {
      timelines.value = new Map([...timelines.value].filter(([run]) => kept.has(run)));
      beside.value = new Set([...beside.value].filter((run) => kept.has(run)));
    }
    if (curves.value.size > 40) curves.value = new Map([...curves.value].slice(-20));
  });
}
