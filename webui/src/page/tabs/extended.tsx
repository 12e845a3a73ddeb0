/** A tab of the locustfile's own: a table of what it adds to the answer of `/stats/requests`. */

import { type Signal, signal } from "@preact/signals";
import { useMemo } from "preact/hooks";
import type { Key } from "../../parts/table";
import { args, type ExtendedColumn } from "../data/args";
import type { Order } from "../table/sorting";
import { type Column, Table } from "../table/table";
import { FilterBox } from "./filter-box";
import { usePolled } from "./polled";

type Row = Record<string, Key>;

interface Answer {
  /** Locustfiles send an empty object where they have no rows yet: Locust's example does. */
  extended_stats?: { key: string; data: Row[] | Record<string, never> }[];
}

const EVERY_MS = 2000;

/** Kept while other tabs are open. */
const orders = new Map<string, Signal<Order>>();
const filter = signal("");

export function Extended({ tab, title }: { tab: string; title: string }) {
  const answer = usePolled<Answer>("./stats/requests", EVERY_MS);
  const structure = args.value.extended_tables?.find(({ key }) => key === tab)?.structure;
  const data = answer?.extended_stats?.find(({ key }) => key === tab)?.data;
  const rows = Array.isArray(data) ? data : [];
  const first = rows[0];
  const columns = useMemo(() => (structure ?? []).map((each) => column(each, first)), [structure, first]);
  const order = orders.get(tab) ?? signal<Order>(null);
  orders.set(tab, order);
  if (!structure) return <p class="none">The locustfile gives this tab no table.</p>;
  return (
    <div class="fill">
      <div class="toolbar">
        <FilterBox label={`Filter ${title}`} typed={filter} />
      </div>
      <Table
        caption={title}
        columns={columns}
        rows={rows}
        identity={(row) => String(rows.indexOf(row))}
        order={order}
        filter={filter.value}
        text={(row) => Object.values(row).join(" ")}
        empty="There is nothing yet."
      />
    </div>
  );
}

/** A column of numbers is known by its first row: the locustfile does not say. */
function column({ key, title, round }: ExtendedColumn, first: Row | undefined): Column<Row> {
  return {
    key,
    title,
    numeric: typeof first?.[key] === "number",
    value: (row) => row[key] ?? null,
    show: (row) => shown(row[key], round),
    width: 8,
    grows: true,
  };
}

function shown(value: Key | undefined, round: number | undefined): string {
  if (value === null || value === undefined) return "";
  if (typeof value === "number" && round !== undefined) return String(Number(value.toFixed(round)));
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}
