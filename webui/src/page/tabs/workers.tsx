/** The machines that make the load. */

import { signal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useMemo } from "preact/hooks";
import { apart, bytes, duration, whole } from "../../parts/format";
import { compare } from "../../parts/table";
import type { Worker } from "../data/events";
import { store } from "../data/store";
import type { Order } from "../table/sorting";
import { type Column, Table } from "../table/table";

const order = signal<Order>(null);

/** From here on a worker makes less load than its users would. */
const BUSY_PERCENT = 90;

/** Waits for Python that are longer than most responses of a local network. */
const LONG_WAIT_MS = 20;

/** From here on the times that a worker reports are corrected. */
const WRONG_CLOCK_S = 0.5;

const COLUMNS: Column<Worker>[] = [
  { key: "id", title: "Worker", value: (row) => row.id, style: "name", width: 16, grows: true },
  {
    key: "state",
    title: "State",
    value: (row) => row.state,
    show: state,
    width: 8,
  },
  { ...number("user_count", "Users", (row) => row.user_count, 5), show: (row) => whole(row.user_count) },
  { ...number("requests", "Requests", (row) => row.requests, 6.5), show: (row) => whole(row.requests) },
  { ...number("failures", "Fails", (row) => row.failures), show: fails },
  { ...number("rps", "RPS", (row) => row.rps), show: now(({ rps }) => rps.toFixed(1)) },
  { ...number("cpu_usage", "CPU", (row) => row.cpu_usage, 4.75), show: now(cpu) },
  { ...number("memory_usage", "Memory", (row) => row.memory_usage), show: now(memory) },
  {
    ...number("lag", "Lag 95 %", (row) => row.lag_ms?.p95 ?? -1),
    show: lag,
    hint: "How long finished responses waited for the worker's Python: 95 % of them no longer than this",
  },
  {
    ...number("clock", "Clock", (row) => row.clock?.offset_s ?? 0),
    show: clock,
    hint: "How far the worker's clock is ahead of the master's. From half a second on its times are corrected",
  },
];

function number(key: string, title: string, value: (row: Worker) => number, width = 6): Column<Worker> {
  return { key, title, value, numeric: true, width };
}

function state({ state, busy_s }: Worker) {
  const shown = <span class={`state ${state}`}>{state}</span>;
  if (busy_s === null || state === "missing") return shown;
  return (
    <span title="Its Python is busy with one thing: no user of it begins anything">
      {shown} <span class="bad">busy {whole(busy_s)} s</span>
    </span>
  );
}

function fails({ failures }: Worker) {
  return failures > 0 ? <span class="bad">{whole(failures)}</span> : "0";
}

function lag({ lag_ms }: Worker) {
  if (lag_ms === null) return "–";
  const shown = duration(lag_ms.p95);
  const title = `median ${duration(lag_ms.p50)}, longest ${duration(lag_ms.max)}`;
  return (
    <span class={lag_ms.p95 > LONG_WAIT_MS ? "bad" : undefined} title={title}>
      {shown}
    </span>
  );
}

function clock({ clock }: Worker) {
  if (clock === null) return "–";
  const ahead = -clock.offset_s;
  const error = duration(clock.error_s * 1000);
  const style = Math.abs(ahead) >= WRONG_CLOCK_S ? "bad" : undefined;
  return (
    <span class={style} title={`± ${error}`}>
      {apart(ahead)}
    </span>
  );
}

/** What is true of a worker at this moment, and so of none that is missing. */
function now(show: (row: Worker) => ComponentChildren) {
  return (row: Worker) => (row.state === "missing" ? "–" : show(row));
}

/** Of a worker that has just come neither is known for some seconds. */
function isMeasured({ cpu_usage, memory_usage }: Worker): boolean {
  return cpu_usage > 0 || memory_usage > 0;
}

function memory(worker: Worker) {
  return isMeasured(worker) ? bytes(worker.memory_usage) : "–";
}

function cpu(worker: Worker) {
  if (!isMeasured(worker)) return "–";
  const { cpu_usage } = worker;
  const shown = `${whole(cpu_usage)} %`;
  return cpu_usage > BUSY_PERCENT ? <span class="bad">{shown}</span> : shown;
}

export function Workers() {
  const workers = store.workers.value;
  const rows = useMemo(() => workers.toSorted((a, b) => compare(a.index, b.index)), [workers]);
  return (
    <div class="fill">
      <Table
        caption="Workers"
        columns={COLUMNS}
        rows={rows}
        identity={({ id }) => id}
        order={order}
        empty="No worker has connected."
      />
    </div>
  );
}
