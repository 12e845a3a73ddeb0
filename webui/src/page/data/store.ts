/** What the page knows of the test, as signals: whoever reads one is drawn again when the stream changed it. Only the stream writes here. */

import { type ReadonlySignal, type Signal, signal } from "@preact/signals";
import type { Check, Knee, Lag, Timeline, Word } from "../../report/data";
import type { Annotation, Events, Failure, RunSummary, State, StatsRow, Thrown, Worker } from "./events";
import { Rows } from "./rows";
import { extended } from "./timeline";

/** More lines than this are no help; the server keeps fewer. */
const LOG_LINES = 2000;

const READY: State = {
  state: "ready",
  host: null,
  locustfile: "",
  user_count: 0,
  target_user_count: 0,
  spawn_rate: null,
  user_classes: {},
  worker_count: 0,
  is_distributed: false,
  run: 0,
  started: null,
  ended: null,
  run_time_s: null,
  profile: null,
  shape: null,
  iterations: null,
  seed: null,
  version: "",
};

export interface RunTimeline {
  run: number;
  timeline: Timeline;
}

export class Store {
  readonly state: Signal<State> = signal(READY);
  readonly rows: Signal<StatsRow[]> = signal([]);
  readonly total: Signal<StatsRow | null> = signal(null);
  readonly failures: Signal<Failure[]> = signal([]);
  readonly exceptions: Signal<Thrown[]> = signal([]);
  /** Of the present run, or of the last. */
  readonly timeline: Signal<RunTimeline | null> = signal(null);
  readonly lag: Signal<Lag | null> = signal(null);
  readonly knee: Signal<Knee | null> = signal(null);
  readonly checks: Signal<Check[]> = signal([]);
  readonly words: Signal<Word[]> = signal([]);
  readonly annotations: Signal<Annotation[]> = signal([]);
  /** All that the server keeps, the present one last. */
  readonly runs: Signal<RunSummary[]> = signal([]);
  readonly workers: Signal<Worker[]> = signal([]);
  readonly logs: Signal<string[]> = signal([]);
  readonly workerLogs: Signal<Record<string, string[]>> = signal({});
  /** Seconds by which the server's clock is ahead of this one. */
  readonly ahead: Signal<number> = signal(0);

  private readonly kept = new Rows();
  private readonly takers: { [Name in keyof Events]: (sent: Events[Name]) => void } = {
    state: (sent) => this.takeState(sent),
    stats: (sent) => {
      this.rows.value = this.kept.take(sent);
      this.total.value = sent.total;
    },
    failures: (sent) => {
      this.failures.value = sent.failures;
    },
    exceptions: (sent) => {
      this.exceptions.value = sent.exceptions;
    },
    timeline: (sent) => this.takeTimeline(sent),
    lag: (sent) => {
      this.lag.value = sent;
    },
    knee: (sent) => {
      this.knee.value = sent;
    },
    checks: (sent) => {
      this.checks.value = sent.checks;
      this.words.value = sent.words;
    },
    annotations: (sent) => {
      this.annotations.value = sent.annotations;
    },
    runs: (sent) => {
      this.runs.value = sent.runs;
    },
    workers: (sent) => {
      this.workers.value = sent.workers;
    },
    logs: (sent) => this.takeLogs(sent),
    bye: () => {},
  };

  take<Name extends keyof Events>(name: Name, sent: Events[Name]): void {
    this.takers[name](sent);
  }

  private takeState(sent: State): void {
    if (sent.now !== undefined) this.ahead.value = sent.now - Date.now() / 1000;
    this.state.value = sent;
  }

  private takeTimeline({ run, whole, from, timeline }: Events["timeline"]): void {
    const before = this.timeline.value;
    if (timeline === null) this.timeline.value = null;
    else if (whole || before?.run !== run) this.timeline.value = { run, timeline };
    else
      this.timeline.value = {
        run,
        timeline: extended(before.timeline, timeline, from ?? before.timeline.ends_s.length),
      };
  }

  private takeLogs({ whole, lines, workers }: Events["logs"]): void {
    const all = whole ? lines : this.logs.value.concat(lines);
    this.logs.value = all.slice(-LOG_LINES);
    if (workers) this.workerLogs.value = workers;
  }
}

/** The page's own. */
export const store = new Store();

const ACTIVE = new Set<string>(["spawning", "running"]);
const BUSY = new Set<string>(["spawning", "running", "cleanup", "stopping"]);

/** Whether users run, or are about to. */
export function isActive(state: ReadonlySignal<State>): boolean {
  return ACTIVE.has(state.value.state);
}

/** The same, or users are still ending. */
export function isBusy(state: ReadonlySignal<State>): boolean {
  return BUSY.has(state.value.state);
}
