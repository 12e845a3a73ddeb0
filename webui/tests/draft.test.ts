import { describe, expect, it } from "vitest";
import { completed, type ExtraOption } from "../src/page/data/args";
import {
  digits,
  draftOf,
  editFields,
  isShaped,
  label,
  looksLikeHost,
  startFields,
  timeSpan,
} from "../src/page/forms/draft";

function option(more: Partial<ExtraOption>): ExtraOption {
  const plain = { choices: null, default_value: "", help_text: null };
  return { ...plain, is_multiple: false, is_required: false, is_secret: false, ...more };
}

describe("the fields of a start", () => {
  it("are Locust's, and what the locustfile adds, under its exact names", () => {
    const args = completed({
      num_users: 20,
      spawn_rate: 2.5,
      host: "https://shop.example",
      run_time: 5400,
      extra_options: {
        arg1_x: option({ default_value: "a" }),
        camelCase: option({ default_value: true }),
        several: option({ default_value: ["x", "y"], choices: ["x", "y", "z"], is_multiple: true }),
      },
    });
    expect(startFields(args, draftOf(args))).toEqual([
      ["user_count", "20"],
      ["spawn_rate", "2.5"],
      ["host", "https://shop.example"],
      ["run_time", "1h30m"],
      ["profile", ""],
      ["arg1_x", "a"],
      ["camelCase", "true"],
      ["several", "x"],
      ["several", "y"],
    ]);
  });

  it("have a secret only when it was typed", () => {
    const args = completed({ extra_options: { pin: option({ is_secret: true, is_set: true }) } });
    const draft = draftOf(args);
    expect(startFields(args, draft).map(([name]) => name)).not.toContain("pin");
    expect(startFields(args, { ...draft, extra: { pin: "1234" } })).toContainEqual(["pin", "1234"]);
  });

  it("have classes and shape with the picker, and no users where the shape says how many", () => {
    const args = completed({
      show_userclass_picker: true,
      available_user_classes: ["A", "B"],
      available_shape_classes: ["Default", "Steps"],
    });
    const draft = { ...draftOf(args), classes: ["B"], shape: "Steps" };
    const fields = startFields(args, draft);
    expect(fields.slice(0, 2)).toEqual([
      ["user_classes", "B"],
      ["shape_class", "Steps"],
    ]);
    expect(fields.map(([name]) => name)).not.toContain("user_count");
    expect(isShaped({ ...args, shape_use_common_options: true }, draft)).toBe(false);
  });

  it("of an edit name no run time where none is given", () => {
    const args = completed({ num_users: 1, spawn_rate: 1 });
    expect(editFields(args, draftOf(args)).map(([name]) => name)).toEqual(["user_count", "spawn_rate"]);
    expect(editFields(args, { ...draftOf(args), runTime: "30s" })).toContainEqual(["run_time", "30s"]);
  });
});

describe("what is typed", () => {
  it("is a number, with one point at most", () => {
    expect(digits("1a2.5")).toBe("125");
    expect(digits("1a.2.5", true)).toBe("1.25");
  });

  it("is warned of where it is no host, and empty is none", () => {
    expect(["", "https://a", "http://[::1]:80"].every(looksLikeHost)).toBe(true);
    expect(["shop.example", "https://", "//a"].some(looksLikeHost)).toBe(false);
  });
});

it("says a time as Locust reads it", () => {
  expect([0, 45, 60, 3600, 3661].map(timeSpan)).toEqual(["0s", "45s", "1m", "1h", "1h1m1s"]);
});

it("says an option's name as people write", () => {
  expect(label("some_long_option")).toBe("Some long option");
});
