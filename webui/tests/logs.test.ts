import { expect, it } from "vitest";
import { isAtLeast, levelOf, unseen } from "../src/page/data/logs";

const line = (level: string, text = "x") => `[2026-01-01 00:00:00,000] node7/${level}/locust.main: ${text}`;

it("a line's level stands in Locust's format, and in most others near its beginning", () => {
  expect(levelOf(line("WARNING", "no ERROR"))).toBe("WARNING");
  expect(levelOf("2026-01-01 ERROR something")).toBe("ERROR");
  expect(levelOf("  File x, line 3")).toBe("INFO");
});

it("warnings are at least warnings", () => {
  expect(["INFO", "WARNING", "ERROR", "CRITICAL"].map((level) => isAtLeast(line(level), "WARNING"))).toEqual([
    false,
    true,
    true,
    true,
  ]);
});

it("what came after the last line that was seen is unseen", () => {
  const lines = [line("ERROR"), line("INFO", "seen"), line("WARNING"), line("INFO")];
  expect(unseen(lines, lines[1] ?? "")).toBe(1);
  expect(unseen(lines, null)).toBe(2);
  expect(unseen(lines, "gone from the log")).toBe(2);
});
