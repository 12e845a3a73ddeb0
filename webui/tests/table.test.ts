import { expect, it } from "vitest";
import { compare } from "../src/parts/table";

it("puts numbers by size, words by the alphabet, and nothing first", () => {
  expect([10, 9, null, 100].toSorted(compare)).toEqual([null, 9, 10, 100]);
  expect(["/b", "/a/10", "/a/9"].toSorted(compare)).toEqual(["/a/9", "/a/10", "/b"]);
});
