/** The columns of the statistics, and which of them the reader wants to see. */

import { type Signal, signal } from "@preact/signals";
import { bytes, coarse, evenRate, percent, whole } from "../../parts/format";
import type { Key } from "../../parts/table";
import { isTotal } from "../../report/data";
import type { StatsRow } from "../data/events";
import type { Column } from "../table/table";
import { EntryLink } from "./entry-link";

export interface StatsColumn extends Column<StatsRow> {
  /** Only shown when it is chosen. */
  isExtra?: boolean;
}

const KEPT = "columns";

export function statsColumns(percentiles: number[]): StatsColumn[] {
  const median = (row: StatsRow) => row.p50_ms ?? row.median_response_time;
  return [
    { key: "method", title: "Type", value: (row) => row.method, style: "method", width: 4.75 },
    {
      key: "name",
      title: "Name",
      value: (row) => row.name,
      show: (row) => (isTotal(row) ? "Aggregated" : <EntryLink entry={row} />),
      style: "name",
      width: 12,
      grows: true,
    },
    number("num_requests", "Requests", (row) => row.num_requests, whole, 6.5),
    { ...number("num_failures", "Fails", (row) => row.num_failures, whole, 5.25), show: fails },
    number("median", "Median (ms)", median, coarse),
    ...offered(percentiles),
    number("avg_response_time", "Average (ms)", (row) => row.avg_response_time, coarse),
    number("min_response_time", "Min (ms)", (row) => row.min_response_time, coarse),
    number("max_response_time", "Max (ms)", (row) => row.max_response_time, coarse),
    number("avg_content_length", "Average size", (row) => row.avg_content_length, bytes),
    number("current_rps", "Current RPS", (row) => row.current_rps, evenRate),
    number("current_fail_per_sec", "Current Failures/s", (row) => row.current_fail_per_sec, evenRate, 5.75),
    extra(number("total_rps", "RPS", (row) => row.total_rps, evenRate)),
    extra(number("total_fail_per_sec", "Failures/s", (row) => row.total_fail_per_sec, evenRate)),
    extra(number("fail_share", "Failed", share, percent)),
  ];
}

/** What the engine sends exactly. */
const EXACT = {
  0.5: "p50_ms",
  0.75: "p75_ms",
  0.9: "p90_ms",
  0.95: "p95_ms",
  0.99: "p99_ms",
  0.999: "p999_ms",
} as const;

/** Those that the locustfile wants, and others to choose. The median has a column of its own. */
function offered(percentiles: number[]): StatsColumn[] {
  const others = Object.keys(EXACT)
    .map(Number)
    .filter((quantile) => quantile !== 0.5);
  return [...new Set([...percentiles, ...others])]
    .sort((a, b) => a - b)
    .map((quantile) => (percentiles.includes(quantile) ? percentile(quantile) : extra(percentile(quantile))));
}

/** The exact value where the engine sends it; else Locust's, which is rounded. */
function percentile(quantile: number): StatsColumn {
  const exact = EXACT[quantile as keyof typeof EXACT] as (typeof EXACT)[keyof typeof EXACT] | undefined;
  const value = (row: StatsRow): Key =>
    (exact ? row[exact] : undefined) ?? row[`response_time_percentile_${python(quantile)}`] ?? null;
  const show = (row: StatsRow) => {
    const found = value(row);
    return typeof found === "number" ? coarse(found) : "–";
  };
  const title = `${Number((quantile * 100).toFixed(4))}%ile (ms)`;
  return { key: `percentile_${quantile}`, title, value, show, numeric: true, width: 5 };
}

/** As Python writes a float: `1` is `1.0` there. */
function python(value: number): string {
  return Number.isInteger(value) ? value.toFixed(1) : String(value);
}

function share(row: StatsRow): number {
  return row.num_requests > 0 ? row.num_failures / row.num_requests : 0;
}

function fails(row: StatsRow) {
  const shown = whole(row.num_failures);
  return row.num_failures > 0 ? <span class="bad">{shown}</span> : shown;
}

function number(
  key: string,
  title: string,
  value: (row: StatsRow) => number,
  format: (value: number) => string,
  width = 5,
): StatsColumn {
  return { key, title, value, show: (row) => format(value(row)), numeric: true, width };
}

function extra(column: StatsColumn): StatsColumn {
  return { ...column, isExtra: true };
}

/** What the reader chose otherwise than it is by itself. */
export const chosen: Signal<Record<string, boolean>> = signal(kept());

export function isShown(column: StatsColumn): boolean {
  return chosen.value[column.key] ?? !column.isExtra;
}

export function choose(column: StatsColumn, shown: boolean): void {
  chosen.value = { ...chosen.value, [column.key]: shown };
  try {
    localStorage.setItem(KEPT, JSON.stringify(chosen.value));
  } catch {
    // Without storage the choice is for this visit.
  }
}

export function chooseAgain(): void {
  chosen.value = {};
  try {
    localStorage.removeItem(KEPT);
  } catch {
    // As above.
  }
}

function kept(): Record<string, boolean> {
  try {
    const found: unknown = JSON.parse(localStorage.getItem(KEPT) ?? "{}");
    return typeof found === "object" && found !== null ? (found as Record<string, boolean>) : {};
  } catch {
    return {};
  }
}
