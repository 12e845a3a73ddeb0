/** What stands in the page: Locust's data under Locust's names, and beside them what only we know (`docs/report.md`). */

import { ofHistory } from "./history";

export interface Entry {
  method: string;
  name: string;
}

export interface RequestRow extends Entry {
  num_requests: number;
  num_failures: number;
  min_response_time: number;
  max_response_time: number;
  avg_response_time: number;
  median_response_time: number;
  avg_content_length: number;
  total_rps: number;
  total_fail_per_sec: number;
}

/** Quantiles beside the name, as `"0.95": 210`. */
export type TimesRow = Entry & Record<string, number | string>;

export interface FailureRow extends Entry {
  error: string;
  occurrences: number;
  first_seen: number | null;
  last_seen: number | null;
}

export interface ExceptionRow {
  count: number;
  msg: string;
  traceback: string;
  nodes: string;
}

export interface Ratio {
  ratio: number;
  tasks?: Record<string, Ratio>;
}

/** A point of Locust's charts: a time, and what was measured about then. */
export type HistoryPoint = { time: string } & Record<string, [time: string, value: number] | string>;

export interface TemplateArgs {
  history: HistoryPoint[];
  percentiles_to_chart: number[];
  duration: string;
  start_time: string;
  end_time: string;
  host: string;
  locustfile: string;
  profile: string | null;
  show_download_link: boolean;
  requests_statistics: RequestRow[];
  response_time_statistics: TimesRow[];
  failures_statistics: FailureRow[];
  exceptions_statistics: ExceptionRow[];
  tasks: { per_class: Record<string, Ratio>; total: Record<string, Ratio> };
}

export interface Check {
  entry: string | null;
  condition: string;
  shown: string;
  passed: boolean;
  remark: string;
}

export interface Word {
  rule: string;
  weight: "bad" | "warning" | "note";
  text: string;
}

export interface KneePoint {
  users: number;
  rps: number;
  avg_ms: number;
  p50_ms: number;
  p95_ms: number;
  p99_ms: number;
}

export interface Knee {
  found: boolean;
  method: string;
  points: KneePoint[];
  users?: number;
  rps?: number;
  p95_ms?: number;
  gain_beyond?: number;
  reason?: string;
}

export interface Timeline {
  /** Seconds of the Unix epoch. */
  start: number;
  interval_s: number;
  /** The end of each interval, in seconds since the start; one value of every column is of the same interval. */
  ends_s: number[];
  users: number[];
  /** How many were asked for; not in what a script's report has. */
  target_users?: number[];
  lag_p99_ms: (number | null)[];
  saturated: [number, number][];
  total: {
    requests: number[];
    failures: number[];
    p50_ms: (number | null)[];
    p95_ms: (number | null)[];
    p99_ms: (number | null)[];
  };
}

export interface Distribution {
  /** Of all rows: the n-th value of each is at the n-th quantile. A row ends where it has no more values to tell apart. */
  quantiles: number[];
  rows: (Entry & { count: number; values_ms: number[]; max_ms: number })[];
}

export interface Phases {
  names: string[];
  rows: (Entry & { calls: number; opened: number; reused: number; average_ms: number[] })[];
}

export interface Lag {
  count: number;
  p50_ms: number;
  p95_ms: number;
  p99_ms: number;
  max_ms: number;
  warning: string | null;
}

/** What somebody said of a moment. */
export interface Annotation {
  /** Seconds of the Unix epoch. */
  time: number;
  text: string;
  users: number;
}

/** A worker of a master. What those of Locust do not say is null. */
export interface Worker {
  id: string;
  /** When the report was made; `gone` of one that had left. */
  state: string;
  requests: number;
  failures: number;
  lag_ms: { p50: number; p95: number; max: number } | null;
  clock: { offset_s: number; error_s: number } | null;
}

export interface Run {
  version: string;
  verdict: "passed" | "failed" | null;
  checks: Check[];
  words: Word[];
  knee: Knee | null;
  timeline: Timeline | null;
  distribution: Distribution;
  phases: Phases;
  lag: Lag | null;
  annotations: Annotation[];
  /** Of a master. */
  workers: Worker[];
  options: Record<string, unknown>;
  seed: number | null;
}

declare global {
  interface Window {
    templateArgs: TemplateArgs;
    theme?: string;
    gregaria: Partial<Run>;
  }
}

/** With nothing in place of what is not there, as in the report of a script, which has no verdict. */
export function completed(args: TemplateArgs, run: Partial<Run> | undefined): Run {
  const nothing: Run = {
    version: "",
    verdict: null,
    checks: [],
    words: [],
    knee: null,
    timeline: ofHistory(args),
    distribution: { quantiles: [], rows: [] },
    phases: { names: [], rows: [] },
    lag: null,
    annotations: [],
    workers: [],
    options: {},
    seed: null,
  };
  return { ...nothing, ...run };
}

/** The total, which Locust's tables end with, is told from an entry of the same name by having no method. */
export function isTotal(row: Entry): boolean {
  return row.name === "Aggregated" && row.method === "";
}

export function title(row: Entry): string {
  return isTotal(row) ? "All requests" : `${row.method} ${row.name}`.trim();
}

/** Rows and, apart from them, the last one. */
export function withTotal<Row extends Entry>(rows: Row[]): { rows: Row[]; total: Row | undefined } {
  const last = rows.at(-1);
  return last && isTotal(last) ? { rows: rows.slice(0, -1), total: last } : { rows, total: undefined };
}
