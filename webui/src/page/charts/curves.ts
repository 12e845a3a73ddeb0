/** From columns of runs and entries to charts: the present run, several from their starts, or one after another. */

import type { Span } from "../../parts/chart/bands";
import type { Mark } from "../../parts/chart/marks";
import type { Line } from "../../parts/chart/plot";
import type { Column, TimeChart, TimeData } from "../../parts/chart/time";
import { duration, rate, whole, wholeOrLess } from "../../parts/format";
import type { Timeline } from "../../report/data";

/** What was counted in intervals, of a run or of one entry in it. */
export interface Counted {
  requests: number[];
  failures: number[];
  p50_ms: Column;
  p95_ms: Column;
  p99_ms: Column;
}

export interface Curve {
  /** Seconds of the Unix epoch. */
  start: number;
  /** In seconds since the start. */
  ends_s: number[];
  counted: Counted;
}

export interface RunCurves {
  run: number;
  /** As the legend names it. */
  label: string;
  timeline: Timeline;
  /** What is looked at: an entry, or all; `null` where the run has none of it, or it is not here yet. */
  curve: Curve | null;
}

export type Quantile = "p50_ms" | "p95_ms" | "p99_ms";

export const QUANTILES: Record<Quantile, string> = {
  p50_ms: "Median",
  p95_ms: "95th percentile",
  p99_ms: "99th percentile",
};

export const TITLES = {
  rates: "Requests per second",
  failures: "Failures per second",
  times: "Response times",
  users: "Users",
  lag: "Generator lag",
};

/** As much room above the users as it takes to ask for more of them. */
const ROOM_TO_DRAG = 1.6;

const COLORS = ["entry-1", "entry-2", "entry-3", "entry-4", "entry-5", "entry-6"];

export function ofTimeline({ start, ends_s, total }: Timeline): Curve {
  return { start, ends_s, counted: total };
}

/** Counts by the lengths of their intervals: the last may be shorter, and one in which the machine hung is longer. */
export function perSecond(counts: number[], ends: number[]): Column {
  return counts.map((count, index) => count / Math.max(0.001, (ends[index] ?? 0) - (ends[index - 1] ?? 0)));
}

/** The values at other moments: of the interval in which each lies, and nothing before the first and after the last. */
export function sampled(ends: number[], column: Column, moments: number[], shift = 0): Column {
  let place = 0;
  return moments.map((moment) => {
    const wanted = moment - shift - 0.0005;
    while (place < ends.length && (ends[place] ?? 0) < wanted) place += 1;
    return wanted < 0 || place >= ends.length ? null : (column[place] ?? null);
  });
}

/** The run that goes on or was the last, all of it or one entry against all. */
export function present(shown: RunCurves, isOne: boolean, marks: Mark[], isActive: boolean): TimeData {
  const { timeline, curve } = shown;
  const { start, ends_s } = timeline;
  const all = ofTimeline(timeline);
  const own = curve && isOne ? resampled(curve, ends_s) : null;
  const counted = isOne ? (own ?? nothing(ends_s)) : measuredOf(all);
  const chart = (title: string, lines: Line[], columns: Column[], unit: (value: number) => string): TimeChart => ({
    title,
    lines,
    columns,
    whole: columns.map((column, index) => said(lines[index], column, isActive)),
    unit,
  });
  const compared = measuredOf(all);
  const charts = [
    chart(
      TITLES.rates,
      [
        { label: "Requests", color: "rps", show: rate, filled: true },
        { label: "Failures", color: "failures", show: rate, filled: true },
        ...(isOne ? [{ label: "Requests of all", color: "muted", show: rate, dash: true }] : []),
      ],
      [counted.requests, counted.failures, ...(isOne ? [compared.requests] : [])],
      wholeOrLess,
    ),
    {
      ...chart(
        TITLES.users,
        [
          { label: "Users", color: "users", show: whole, filled: true },
          { label: "Asked for", color: "knee", show: whole, dash: true },
        ],
        [timeline.users, timeline.target_users ?? ends_s.map(() => null)],
        wholeOrLess,
      ),
      room: isActive ? ROOM_TO_DRAG : 1.15,
    },
    chart(
      TITLES.times,
      [
        { label: "Median", color: "p50", show: duration },
        { label: "95th percentile", color: "p95", show: duration },
        { label: "99th percentile", color: "p99", show: duration },
        ...(isOne ? [{ label: "95th percentile of all", color: "muted", show: duration, dash: true }] : []),
      ],
      [counted.p50_ms, counted.p95_ms, counted.p99_ms, ...(isOne ? [compared.p95_ms] : [])],
      duration,
    ),
    chart(
      TITLES.lag,
      [{ label: "99th percentile", color: "lag", show: duration, filled: true }],
      [timeline.lag_p99_ms],
      duration,
    ),
  ];
  return { times: ends_s.map((end) => start + end), charts, spans: spansOf(timeline), marks, start };
}

/** Several runs from their starts, or one after another: each is a line. */
export function together(runs: RunCurves[], quantile: Quantile, marks: Mark[], isAligned: boolean): TimeData {
  const first = Math.min(...runs.map(({ timeline }) => timeline.start));
  const times = isAligned
    ? grid(runs)
    : runs.flatMap(({ timeline }) => timeline.ends_s.map((end) => timeline.start + end));
  // The present run, which is the last, always looks the same.
  const line = (index: number, show: (value: number) => string): Line => ({
    label: runs[index]?.label ?? "",
    color: COLORS[(runs.length - 1 - index) % COLORS.length] ?? "entry-1",
    show,
    dash: index < runs.length - 1,
  });
  const shift = (run: RunCurves) => (isAligned ? 0 : run.timeline.start);
  const chart = (
    title: string,
    column: (run: RunCurves) => [ends: number[], values: Column] | null,
    show: (value: number) => string,
    unit: (value: number) => string,
  ): TimeChart => {
    const columns = runs.map((run) => {
      const found = column(run);
      return found ? sampled(found[0], found[1], times, shift(run)) : times.map(() => null);
    });
    const lines = runs.map((_, index) => line(index, show));
    return { title, lines, columns, whole: runs.map(() => ""), unit };
  };
  const ofCurve = (value: (counted: ReturnType<typeof measuredOf>) => Column) => (run: RunCurves) =>
    run.curve ? ([run.curve.ends_s, value(measuredOf(run.curve))] as [number[], Column]) : null;
  const ofRun = (value: (timeline: Timeline) => Column) => (run: RunCurves) =>
    [run.timeline.ends_s, value(run.timeline)] as [number[], Column];
  return {
    times,
    charts: [
      chart(
        TITLES.rates,
        ofCurve((counted) => counted.requests),
        rate,
        wholeOrLess,
      ),
      chart(
        `${TITLES.times}: ${QUANTILES[quantile].toLowerCase()}`,
        ofCurve((counted) => counted[quantile]),
        duration,
        duration,
      ),
      chart(
        TITLES.failures,
        ofCurve((counted) => counted.failures),
        rate,
        wholeOrLess,
      ),
      chart(
        TITLES.users,
        ofRun((timeline) => timeline.users),
        whole,
        wholeOrLess,
      ),
      chart(
        TITLES.lag,
        ofRun((timeline) => timeline.lag_p99_ms),
        duration,
        duration,
      ),
    ],
    spans: isAligned ? [] : runs.flatMap(({ timeline }) => spansOf(timeline)),
    marks: isAligned ? [] : [...marks, ...runs.map(({ label, timeline }) => runMark(label, timeline, first))],
    elapsed: isAligned,
  };
}

/** The moments of the longest run. */
function grid(runs: RunCurves[]): number[] {
  const longest = runs.reduce((a, b) => ((b.timeline.ends_s.at(-1) ?? 0) > (a.timeline.ends_s.at(-1) ?? 0) ? b : a));
  return longest.timeline.ends_s;
}

function runMark(text: string, { start, ends_s }: Timeline, first: number): Mark {
  // The first one's line would lie on the axis.
  const at = start === first ? start + (ends_s[0] ?? 0) : start;
  return { at, text, color: "muted" };
}

function measuredOf({ ends_s, counted }: Curve): { requests: Column; failures: Column } & Record<Quantile, Column> {
  const { requests, failures, p50_ms, p95_ms, p99_ms } = counted;
  return { requests: perSecond(requests, ends_s), failures: perSecond(failures, ends_s), p50_ms, p95_ms, p99_ms };
}

function resampled(curve: Curve, moments: number[]): ReturnType<typeof measuredOf> {
  const measured = measuredOf(curve);
  const at = (column: Column) => sampled(curve.ends_s, column, moments);
  return {
    requests: at(measured.requests),
    failures: at(measured.failures),
    p50_ms: at(measured.p50_ms),
    p95_ms: at(measured.p95_ms),
    p99_ms: at(measured.p99_ms),
  };
}

function nothing(moments: number[]): ReturnType<typeof measuredOf> {
  const none = moments.map(() => null);
  return { requests: none, failures: none, p50_ms: none, p95_ms: none, p99_ms: none };
}

function spansOf({ start, saturated }: Timeline): Span[] {
  return saturated.map(([from, to]) => [start + from, start + to]);
}

/** The latest value while it goes on, then nothing: what stands there would be one second of many. */
function said(line: Line | undefined, column: Column, isActive: boolean): string {
  const last = column.findLast((value) => value !== null);
  return isActive && line && last != null ? line.show(last) : "";
}

/** Whether the generator is the limit at the end of what is shown. */
export function isSaturatedNow({ ends_s, saturated }: Timeline): boolean {
  const [last, end] = [saturated.at(-1), ends_s.at(-1)];
  return last !== undefined && end !== undefined && last[1] >= end;
}
