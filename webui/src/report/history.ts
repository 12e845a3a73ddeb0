/** A timeline of Locust's history, for reports of scripts: a point every five seconds, and no lag. */

import type { HistoryPoint, TemplateArgs, Timeline } from "./data";

export function ofHistory({ history, percentiles_to_chart, start_time }: TemplateArgs): Timeline | null {
  if (history.length < 2) return null;
  const start = seconds(start_time);
  const ends = history.map((point) => Math.max(0, seconds(point.time) - start));
  const values = (key: string) => history.map((point) => value(point, key));
  const lengths = ends.map((end, index) => end - (index === 0 ? 0 : (ends[index - 1] ?? 0)));
  // Rates are what history has. Whoever reads a timeline divides its counts by their intervals.
  const counts = (key: string) => values(key).map((rate, index) => rate * Math.max(0.001, lengths[index] ?? 0));
  const quantile = (wanted: number) =>
    percentiles_to_chart.includes(wanted) ? values(`response_time_percentile_${wanted}`) : ends.map(() => null);
  return {
    start,
    interval_s: Math.max(...lengths.slice(1)),
    ends_s: ends,
    users: values("user_count"),
    lag_p99_ms: ends.map(() => null),
    saturated: [],
    total: {
      requests: counts("current_rps"),
      failures: counts("current_fail_per_sec"),
      p50_ms: quantile(0.5),
      p95_ms: quantile(0.95),
      p99_ms: quantile(0.99),
    },
  };
}

function seconds(time: string): number {
  return Date.parse(time) / 1000;
}

function value(point: HistoryPoint, key: string): number {
  const found = point[key];
  return Array.isArray(found) ? found[1] : 0;
}
