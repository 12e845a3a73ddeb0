/** Columns that several tables have. */

import { whole } from "../parts/format";
import type { Column } from "../parts/table";
import { type Entry, isTotal } from "./data";

export const METHOD: Column<Entry> = { title: "Type", key: (row) => row.method, style: "method" };

export const NAME: Column<Entry> = {
  title: "Name",
  key: (row) => row.name,
  show: (row) => (isTotal(row) ? "All requests" : row.name),
  style: "name",
};

export function number<Row>(
  title: string,
  value: (row: Row) => number,
  show: (value: number) => string = whole,
): Column<Row> {
  return { title, key: value, show: (row) => show(value(row)), numeric: true };
}

export function entryText(row: Entry): string {
  return `${row.method} ${row.name}`;
}
