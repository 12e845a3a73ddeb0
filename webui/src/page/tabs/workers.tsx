/** The machines that make the load. */

import { signal } from "@preact/signals";
import { useMemo } from "preact/hooks";
import { bytes, whole } from "../../parts/format";
import { compare } from "../../parts/table";
import type { Worker } from "../data/events";
import { store } from "../data/store";
import type { Order } from "../table/sorting";
import { type Column, Table } from "../table/table";

const order = signal<Order>(null);

/** From here on a worker makes less load than its users would. */
const BUSY_PERCENT = 90;

const COLUMNS: Column<Worker>[] = [
  { key: "id", title: "Worker", value: (row) => row.id, style: "name", width: 14, grows: true },
  {
    key: "state",
    title: "State",
    value: (row) => row.state,
    show: (row) => <span class={`state ${row.state}`}>{row.state}</span>,
    width: 8,
  },
  { ...number("user_count", "Users", (row) => row.user_count), show: (row) => whole(row.user_count) },
  { ...number("cpu_usage", "CPU usage", (row) => row.cpu_usage), show: cpu },
  { ...number("memory_usage", "Memory usage", (row) => row.memory_usage), show: (row) => bytes(row.memory_usage) },
];

function number(key: string, title: string, value: (row: Worker) => number): Column<Worker> {
  return { key, title, value, numeric: true, width: 8.5 };
}

function cpu({ cpu_usage }: Worker) {
  const shown = `${whole(cpu_usage)} %`;
  return cpu_usage > BUSY_PERCENT ? <span class="bad">{shown}</span> : shown;
}

export function Workers() {
  const workers = store.workers.value;
  const rows = useMemo(() => workers.toSorted((a, b) => compare(a.id, b.id)), [workers]);
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
