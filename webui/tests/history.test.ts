import { expect, it } from "vitest";
import type { HistoryPoint, TemplateArgs } from "../src/report/data";
import { ofHistory } from "../src/report/history";

const point = (time: string, rps: number): HistoryPoint => ({
  time,
  current_rps: [time, rps],
  current_fail_per_sec: [time, 0],
  user_count: [time, 3],
  "response_time_percentile_0.5": [time, 12],
});

const args = (history: HistoryPoint[]) =>
  ({ history, percentiles_to_chart: [0.5], start_time: "2026-01-01T00:00:00Z" }) as unknown as TemplateArgs;

it("is a timeline whose counts give the rates back", () => {
  const timeline = ofHistory(args([point("2026-01-01T00:00:05Z", 10), point("2026-01-01T00:00:10Z", 20)]));
  expect(timeline?.ends_s).toEqual([5, 10]);
  expect(timeline?.total.requests.map((count) => count / 5)).toEqual([10, 20]);
  expect([timeline?.total.p50_ms, timeline?.total.p95_ms]).toEqual([
    [12, 12],
    [null, null],
  ]);
  expect(timeline?.users).toEqual([3, 3]);
});

it("is none of a run that was too short for one", () => {
  expect(ofHistory(args([point("2026-01-01T00:00:05Z", 10)]))).toBeNull();
});
