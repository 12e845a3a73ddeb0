import { expect, it } from "vitest";
import { classChanges, classDraft } from "../src/page/forms/class-attributes";

const before = { host: null, weight: 3, flag: true, nested: { a: [1] }, tasks: ["a", "b"] };

it("what nobody touched is not sent", () => {
  expect(classChanges(before, classDraft(before))).toEqual({});
});

it("numbers stay numbers, and the rest is read as what it was", () => {
  const draft = classDraft(before);
  const attributes = { host: "https://a", weight: "5", flag: "false", nested: '{"a": [2]}' };
  expect(classChanges(before, { tasks: ["b"], attributes: { ...draft.attributes, ...attributes } })).toEqual({
    host: "https://a",
    weight: 5,
    flag: false,
    nested: { a: [2] },
    tasks: ["b"],
  });
});
