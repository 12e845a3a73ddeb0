/** What went wrong with requests, grouped as the engine groups it. */

import { signal } from "@preact/signals";
import { whole } from "../../parts/format";
import type { Failure } from "../data/events";
import { store } from "../data/store";
import { isNarrow } from "../shell/narrow";
import type { Order } from "../table/sorting";
import { type Column, Table } from "../table/table";
import { EntryLink } from "./entry-link";
import { FilterBox } from "./filter-box";

const order = signal<Order>(null);
const filter = signal("");

const COUNT: Column<Failure> = {
  key: "occurrences",
  title: "Failures",
  value: (row) => row.occurrences,
  show: (row) => whole(row.occurrences),
  numeric: true,
  width: 6,
};
const METHOD: Column<Failure> = {
  key: "method",
  title: "Method",
  value: (row) => row.method,
  style: "method",
  width: 5,
};
const NAME: Column<Failure> = {
  key: "name",
  title: "Name",
  value: (row) => row.name,
  show: (row) => <EntryLink entry={row} />,
  style: "name",
  width: 14,
};
const MESSAGE: Column<Failure> = {
  key: "error",
  title: "Message",
  value: (row) => row.error,
  style: "message",
  width: 16,
  grows: true,
};
const WIDE = [COUNT, METHOD, NAME, MESSAGE, seen("first_seen", "First seen"), seen("last_seen", "Last seen")];

/** On a phone what comes first is what is seen, and nothing stays in place that would take its room. */
const NARROW = [COUNT, MESSAGE, METHOD, { ...NAME, style: "" }, ...WIDE.slice(4)];

function seen(key: "first_seen" | "last_seen", title: string): Column<Failure> {
  return { key, title, value: (row) => row[key], show: (row) => local(row[key]), style: "seen", width: 9.5 };
}

/** In the reader's own time. */
function local(seconds: number | null): string {
  if (seconds === null) return "–";
  const at = new Date(seconds * 1000);
  const time = at.toLocaleTimeString("en-GB");
  return at.toDateString() === new Date().toDateString() ? time : `${at.toLocaleDateString("en-CA")} ${time}`;
}

export function Failures() {
  return (
    <div class="fill">
      <div class="toolbar">
        <FilterBox label="Filter failures" typed={filter} />
      </div>
      <Table
        caption="Failures"
        columns={isNarrow.value ? NARROW : WIDE}
        rows={store.failures.value}
        identity={({ method, name, error }) => `${method}\n${name}\n${error}`}
        order={order}
        filter={filter.value}
        text={failureText}
        empty="No request has failed."
      />
    </div>
  );
}

function failureText({ method, name, error }: Failure): string {
  return `${method} ${name} ${error}`;
}
