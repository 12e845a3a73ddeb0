import { expect, it } from "vitest";
import {
  isSaturatedNow,
  perSecond,
  present,
  type RunCurves,
  sampled,
  TITLES,
  together,
} from "../src/page/charts/curves";
import { nice } from "../src/page/charts/nice";
import { extended } from "../src/page/data/timeline";
import type { Timeline } from "../src/report/data";

function timeline(start: number, ends_s: number[], requests: number[]): Timeline {
  const times = ends_s.map((_, index) => 10 * (index + 1));
  return {
    start,
    interval_s: 1,
    ends_s,
    users: ends_s.map((_, index) => index + 1),
    target_users: ends_s.map(() => 9),
    lag_p99_ms: times,
    saturated: [],
    total: { requests, failures: requests.map(() => 0), p50_ms: times, p95_ms: times, p99_ms: times },
  };
}

function run(number: number, of: Timeline): RunCurves {
  return { run: number, label: `Run ${number}`, timeline: of, curve: { ...of, counted: of.total } };
}

const columns = (data: ReturnType<typeof present>, title: string) =>
  data.charts.find((chart) => chart.title === title)?.columns;

it("divides counts by the lengths of their intervals", () => {
  expect(perSecond([10, 10, 5], [1, 3, 3.5])).toEqual([10, 5, 10]);
});

it("gives at each moment the value of the interval that it lies in", () => {
  expect(sampled([1, 2, 4], [10, 20, 40], [0.5, 1, 1.5, 3, 4, 4.5])).toEqual([10, 10, 20, 40, 40, null]);
  expect(sampled([1, 2], [10, 20], [99, 101, 102, 103], 100)).toEqual([null, 10, 20, null]);
});

it("shows an entry against all requests, also where it was asked for a little earlier", () => {
  const all = timeline(1000, [1, 2, 3], [10, 20, 30]);
  const shown = {
    ...run(1, all),
    curve: { ...timeline(1000, [1, 2], [1, 2]), counted: timeline(1000, [1, 2], [1, 2]).total },
  };
  const data = present(shown, true, [], true);
  expect(data.times).toEqual([1001, 1002, 1003]);
  expect(columns(data, TITLES.rates)).toEqual([
    [1, 2, null],
    [0, 0, null],
    [10, 20, 30],
  ]);
  expect(data.charts[0]?.whole[0]).toBe("2.00");
});

it("lays runs over each other from their starts, on the moments of the longest", () => {
  const data = together(
    [run(1, timeline(1000, [1, 2], [10, 20])), run(2, timeline(5000, [1.01, 2.01, 3.01], [1, 2, 3]))],
    "p95_ms",
    [],
    true,
  );
  expect(data.elapsed).toBe(true);
  expect(data.times).toEqual([1.01, 2.01, 3.01]);
  expect(columns(data, TITLES.users)).toEqual([
    [2, null, null],
    [1, 2, 3],
  ]);
});

it("puts runs one after another, each marked where it began", () => {
  const runs = [run(1, timeline(1000, [1, 2], [10, 20])), run(2, timeline(5000, [1], [1]))];
  const data = together(runs, "p95_ms", [{ at: 1001.5, text: "deploy", color: "annotation" }], false);
  expect(data.times).toEqual([1001, 1002, 5001]);
  expect(columns(data, TITLES.users)).toEqual([
    [1, 2, null],
    [null, null, 1],
  ]);
  expect(data.marks.map(({ text, at }) => [text, at])).toEqual([
    ["deploy", 1001.5],
    ["Run 1", 1001],
    ["Run 2", 5000],
  ]);
});

it("knows whether the generator is the limit now", () => {
  const now = timeline(0, [1, 2, 3], [1, 1, 1]);
  expect(isSaturatedNow({ ...now, saturated: [[1, 2]] })).toBe(false);
  expect(isSaturatedNow({ ...now, saturated: [[1, 3]] })).toBe(true);
});

it("replaces the last interval, which has grown, and what comes behind it", () => {
  const before = timeline(0, [1, 2], [1, 1]);
  const after = extended(before, timeline(0, [2.5, 3.5], [7, 8]), 1);
  expect(after.ends_s).toEqual([1, 2.5, 3.5]);
  expect(after.total.requests).toEqual([1, 7, 8]);
  expect(after.target_users).toEqual([9, 9, 9]);
});

it("proposes numbers of users that a hand can mean", () => {
  expect([nice(117.3, 0.4), nice(1234, 12), nice(87_654, 900), nice(-3, 1)]).toEqual([117, 1240, 88_000, 0]);
});
