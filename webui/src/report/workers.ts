/** The processes that made the load, where that was not this one. */

import { apart, duration, percent, whole } from "../parts/format";
import { type Section, section } from "../parts/section";
import { type Column, Table } from "../parts/table";
import { number } from "./columns";
import type { Worker } from "./data";

export function workers(all: Worker[]): Section | null {
  if (all.length === 0) return null;
  const requests = all.reduce((sum, worker) => sum + worker.requests, 0);
  const columns: Column<Worker>[] = [
    { title: "Worker", key: (row) => row.id, style: "name" },
    { title: "At the end", key: (row) => row.state },
    number("Requests", (row) => row.requests),
    number("Share", (row) => (requests ? row.requests / requests : 0), percent),
    number("Fails", (row) => row.failures),
    known("Lag median", (row) => row.lag_ms?.p50, duration),
    known("Lag 95 %", (row) => row.lag_ms?.p95, duration),
    known("Longest lag", (row) => row.lag_ms?.max, duration),
    known("Clock", (row) => row.clock && -row.clock.offset_s, apart),
  ];
  const table = new Table({ caption: "Workers", columns, rows: all });
  const note =
    "Lag is how long finished responses waited for the worker's own code; it is not in the response times. Clock is " +
    "how far the worker's clock was ahead of the master's.";
  return section("workers", "Workers", `${whole(all.length)} had a part in this run. ${note}`, table.element);
}

/** A column of what not every worker says. */
function known(
  title: string,
  value: (row: Worker) => number | null | undefined,
  show: (value: number) => string,
): Column<Worker> {
  const shown = (row: Worker) => {
    const found = value(row);
    return found === null || found === undefined ? "–" : show(found);
  };
  return { title, key: (row) => value(row) ?? null, show: shown, numeric: true };
}
