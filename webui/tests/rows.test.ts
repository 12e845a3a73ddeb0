import { describe, expect, it } from "vitest";
import type { StatsRow } from "../src/page/data/events";
import { Rows } from "../src/page/data/rows";

function row(method: string, name: string, num_requests: number): StatsRow {
  return { method, name, num_requests } as StatsRow;
}

const total = row("", "Aggregated", 0);

function sent(whole: boolean, ...rows: StatsRow[]) {
  return { run: 1, whole, rows, total };
}

describe("rows of the stream", () => {
  it("replaces those that changed and keeps the rest", () => {
    const rows = new Rows();
    rows.take(sent(true, row("GET", "/a", 1), row("GET", "/b", 2)));
    const now = rows.take(sent(false, row("GET", "/b", 5)));
    expect(now.map(({ name, num_requests }) => [name, num_requests])).toEqual([
      ["/a", 1],
      ["/b", 5],
    ]);
  });

  it("sorts new ones in, by name and then by method", () => {
    const rows = new Rows();
    rows.take(sent(true, row("POST", "/b", 1)));
    rows.take(sent(false, row("GET", "/b", 1), row("GET", "/a", 1)));
    const now = rows.take(sent(false, row("POST", "/b", 9)));
    expect(now.map(({ method, name }) => `${method} ${name}`)).toEqual(["GET /a", "GET /b", "POST /b"]);
    expect(now[2]?.num_requests).toBe(9);
  });

  it("does not change a list that it gave out", () => {
    const rows = new Rows();
    const before = rows.take(sent(true, row("GET", "/a", 1)));
    rows.take(sent(false, row("GET", "/a", 2)));
    expect(before[0]?.num_requests).toBe(1);
  });

  it("forgets all others when everything comes whole", () => {
    const rows = new Rows();
    rows.take(sent(true, row("GET", "/a", 1), row("GET", "/b", 1)));
    expect(rows.take(sent(true, row("GET", "/b", 1)))).toHaveLength(1);
  });
});
