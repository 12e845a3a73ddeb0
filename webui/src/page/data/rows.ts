/** The rows of the statistics, of which the stream sends only those that changed. */

import type { Events, StatsRow } from "./events";

type Sent = Events["stats"];

export class Rows {
  private rows: StatsRow[] = [];
  private readonly places = new Map<string, number>();

  /** All rows now, sorted by name and method as Locust sorts them. A list that was given out stays as it was. */
  take({ whole, rows }: Sent): StatsRow[] {
    const next = whole ? [] : this.rows.slice();
    if (whole) this.places.clear();
    const before = next.length;
    for (const row of rows) {
      const key = rowKey(row);
      const place = this.places.get(key) ?? next.length;
      this.places.set(key, place);
      next[place] = row;
    }
    this.rows = next;
    if (next.length !== before) this.sort();
    return this.rows;
  }

  private sort(): void {
    this.rows.sort((a, b) => order(a.name, b.name) || order(a.method, b.method));
    this.rows.forEach((row, place) => {
      this.places.set(rowKey(row), place);
    });
  }
}

/** By code points, as Python's strings. */
function order(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}

/** Which entry a row is of; no method has a line break. */
export function rowKey(row: { method: string; name: string }): string {
  return `${row.method}\n${row.name}`;
}
