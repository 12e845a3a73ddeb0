import { expect, it } from "vitest";
import { percentileAt, placeOf } from "../src/report/percentiles";

it("gives every nine the same room", () => {
  expect([0, 0.9, 0.99, 0.999].map((quantile) => Number(placeOf(quantile).toFixed(9)))).toEqual([0, 1, 2, 3]);
  expect(placeOf(1)).toBeLessThan(10);
});

it("names a place with no more digits than tell it from the next", () => {
  expect([0, Math.log10(2), 1, 2, 3, 4].map(percentileAt)).toEqual(["0", "50", "90", "99", "99.9", "99.99"]);
  expect(percentileAt(2.5)).toBe("99.68");
});
