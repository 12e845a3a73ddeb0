/** The order and the choice of rows that a table shows. */

import { compare, type Key } from "../../parts/table";

export type Direction = "ascending" | "descending";

/** By which column, or as the rows came. */
export type Order = { column: string; direction: Direction } | null;

/** First the way in which one looks for something, then the other way, then as it came. */
export function nextOrder(now: Order, column: string, isNumeric: boolean): Order {
  const first: Direction = isNumeric ? "descending" : "ascending";
  if (now?.column !== column) return { column, direction: first };
  if (now.direction === first) return { column, direction: first === "ascending" ? "descending" : "ascending" };
  return null;
}

/** Equal rows stay in the order in which they came, in either direction. */
export function sorted<Row>(rows: Row[], value: ((row: Row) => Key) | undefined, order: Order): Row[] {
  if (!order || !value) return rows;
  const sign = order.direction === "ascending" ? 1 : -1;
  return rows.toSorted((a, b) => sign * compare(value(a), value(b)));
}
