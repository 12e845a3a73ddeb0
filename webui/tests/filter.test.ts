import { expect, it } from "vitest";
import { matcher } from "../src/parts/filter";

const names = ["GET /orders", "POST /orders", "GET /orders/[id]/items"];
const through = (typed: string) => names.filter(matcher(typed));

it("lets everything through while nothing is typed", () => {
  expect(through("")).toEqual(names);
  expect(through("  - ")).toEqual(names);
});

it("wants every word, in any order and case", () => {
  expect(through("ORDERS get")).toEqual([names[0], names[2]]);
  expect(through("[id]")).toEqual([names[2]]);
});

it("leaves out what a word behind a minus occurs in", () => {
  expect(through("get -items")).toEqual([names[0]]);
});
