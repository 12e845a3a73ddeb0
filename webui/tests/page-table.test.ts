import { describe, expect, it } from "vitest";
import { nextOrder, sorted } from "../src/page/table/sorting";
import { inSight } from "../src/page/table/window";

describe("the order of a table", () => {
  it("goes from largest to smallest to as it came for numbers, and the other way for words", () => {
    const first = nextOrder(null, "count", true);
    const second = nextOrder(first, "count", true);
    expect([first?.direction, second?.direction, nextOrder(second, "count", true)]).toEqual([
      "descending",
      "ascending",
      null,
    ]);
    expect(nextOrder(first, "name", false)).toEqual({ column: "name", direction: "ascending" });
  });

  it("leaves equal rows as they came", () => {
    const rows = [
      ["a", 1],
      ["b", 2],
      ["c", 1],
    ] as const;
    const by = (row: (typeof rows)[number]) => row[1];
    const names = (direction: "ascending" | "descending") =>
      sorted([...rows], by, { column: "n", direction }).map(([name]) => name);
    expect(names("ascending")).toEqual(["a", "c", "b"]);
    expect(names("descending")).toEqual(["b", "a", "c"]);
  });
});

describe("rows in sight", () => {
  const even = () => 10;

  it("are few of many, wherever one scrolls, and the gaps keep the whole height", () => {
    for (const scrolled of [0, 500, 5000, 9990, 20_000]) {
      const { from, to, above, below } = inSight(1000, even, scrolled, 200);
      expect(above + (to - from) * 10 + below).toBe(10_000);
      expect(to - from).toBeLessThanOrEqual(82);
      if (scrolled < 10_000) expect(from * 10).toBeLessThanOrEqual(scrolled);
    }
  });

  it("are as many as fit where heights differ", () => {
    const { from, to } = inSight(100, (index) => (index % 2 ? 50 : 10), 1500, 100);
    expect(from).toBe(39);
    expect(to).toBe(64);
  });

  it("are none of none", () => {
    expect(inSight(0, even, 0, 100)).toEqual({ from: 0, to: 0, above: 0, below: 0 });
  });
});
