/** What the server's stream says: the name of each event and the JSON it brings. On a new connection everything comes whole. */

import type { Check, Knee, Lag, Annotation as Said, Timeline, Word } from "../../report/data";

export type RunnerState = "ready" | "spawning" | "running" | "cleanup" | "stopping" | "stopped" | "missing";

export interface State {
  state: RunnerState;
  host: string | null;
  locustfile: string;
  user_count: number;
  target_user_count: number;
  spawn_rate: number | null;
  user_classes: Record<string, number>;
  worker_count: number;
  is_distributed: boolean;
  /** The number of the test in this process: 0 before the first. */
  run: number;
  /** Seconds of the Unix epoch. */
  started: number | null;
  ended: number | null;
  run_time_s: number | null;
  /** When the run time will be over, and what time it is on the server; both seconds of the Unix epoch. */
  ends?: number | null;
  now?: number;
  profile: string | null;
  shape: string | null;
  iterations: [begun: number, limit: number] | null;
  seed: number | null;
  version: string;
}

/** A row of the statistics. Percentiles are `response_time_percentile_0.95` and so on, as Locust names them. */
export interface StatsRow {
  method: string;
  name: string;
  num_requests: number;
  num_failures: number;
  min_response_time: number;
  max_response_time: number;
  avg_response_time: number;
  median_response_time: number;
  avg_content_length: number;
  current_rps: number;
  current_fail_per_sec: number;
  total_rps: number;
  total_fail_per_sec: number;
  p50_ms?: number;
  p75_ms?: number;
  p90_ms?: number;
  p95_ms?: number;
  p99_ms?: number;
  p999_ms?: number;
  /** Averages by the name of the phase, in ms. */
  phases_ms?: Record<string, number>;
  [percentile: `response_time_percentile_${string}`]: number | null;
}

export interface Failure {
  method: string;
  name: string;
  error: string;
  occurrences: number;
  first_seen: number | null;
  last_seen: number | null;
}

export interface Thrown {
  count: number;
  msg: string;
  nodes: string;
  traceback: string;
}

export interface Worker {
  id: string;
  state: string;
  user_count: number;
  /** Percent of a core. */
  cpu_usage: number;
  /** Bytes. */
  memory_usage: number;
  index: number;
  /** Whether it is one of gregaria's. Those of Locust say nothing of what may be null here. */
  is_ours: boolean;
  requests: number;
  failures: number;
  rps: number;
  /** When its last report came, in seconds of the Unix epoch. */
  last_report: number | null;
  /** How long its Python has been busy with one thing, where that is worth saying. */
  busy_s: number | null;
  /** How long finished responses waited for its Python. */
  lag_ms: { p50: number; p95: number; max: number } | null;
  /** What has to be added to its clock to have the master's, and how wrong that may be. */
  clock: { offset_s: number; error_s: number } | null;
}

export interface Annotation extends Said {
  /** 0: before all runs that are kept. */
  run: number;
}

/** A test of this process, from its begin. Times in seconds. */
export interface RunSummary {
  run: number;
  profile: string | null;
  /** Of the Unix epoch; without an end while it goes on. */
  started: number;
  ended: number | null;
  seconds: number;
  users: number;
  requests: number;
  failures: number;
}

export interface Events {
  state: State;
  stats: { run: number; whole: boolean; rows: StatsRow[]; total: StatsRow };
  failures: { run: number; failures: Failure[] };
  exceptions: { run: number; exceptions: Thrown[] };
  /** `from` is the first interval that is in it: the columns are replaced from there on. */
  timeline: { run: number; whole: boolean; from?: number; timeline: Timeline | null };
  runs: { runs: RunSummary[] };
  lag: Lag | null;
  knee: Knee | null;
  checks: { checks: Check[]; words: Word[] };
  annotations: { annotations: Annotation[] };
  workers: { workers: Worker[] };
  logs: { whole: boolean; lines: string[]; workers?: Record<string, string[]> };
  bye: object;
}

export const EVENTS: (keyof Events)[] = [
  "state",
  "stats",
  "failures",
  "exceptions",
  "timeline",
  "lag",
  "knee",
  "checks",
  "annotations",
  "runs",
  "workers",
  "logs",
  "bye",
];
