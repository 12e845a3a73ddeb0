import { describe, expect, it } from "vitest";
import {
  apart,
  bytes,
  clock,
  coarse,
  duration,
  evenRate,
  milliseconds,
  percent,
  rate,
  whole,
} from "../src/parts/format";

describe("numbers as people read them", () => {
  it("groups thousands", () => {
    expect(whole(1234567)).toBe("1,234,567");
  });

  it("shows no more digits of a time than were measured", () => {
    expect([0, 0.417, 12.34, 123.4, 1234.5].map(milliseconds)).toEqual(["0", "0.42", "12.3", "123", "1,235"]);
    expect([0, 0.417, 12.34, 1234.5, 125_000].map(duration)).toEqual([
      "0 ms",
      "417 µs",
      "12.3 ms",
      "1.23 s",
      "2 min 5 s",
    ]);
  });

  it("keeps to one kind of number in a column", () => {
    expect([0, 0.417, 9.94, 9.96, 12.34, 1234.5].map(coarse)).toEqual(["0", "0.4", "9.9", "10", "12", "1,235"]);
    expect([0, 0.417, 119, 1234.5].map(evenRate)).toEqual(["0.00", "0.42", "119.00", "1,234.50"]);
  });

  it("names the two largest units of a span", () => {
    expect([0, 45, 125, 12_000, 86_400].map(clock)).toEqual(["0 s", "45 s", "2 min 5 s", "3 h 20 min", "1 d"]);
  });

  it("says which of two clocks is ahead", () => {
    expect([0.00042, -12, -0.25].map(apart)).toEqual(["+420 µs", "−12 s", "−250 ms"]);
  });

  it("never shows a failure as none", () => {
    expect([0, 0.00001, 0.0123, 0.5].map(percent)).toEqual(["0 %", "< 0.01 %", "1.23 %", "50.0 %"]);
  });

  it("keeps decimals of rates while they say something", () => {
    expect([0.5, 99.994, 1234.4].map(rate)).toEqual(["0.50", "99.99", "1,234"]);
  });

  it("counts bytes", () => {
    expect([0, 999, 1500, 12_345_678].map(bytes)).toEqual(["0 B", "999 B", "1.5 kB", "12.3 MB"]);
  });
});
