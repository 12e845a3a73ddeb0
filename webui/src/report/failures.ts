/** What went wrong: failed requests by their text, exceptions of the locustfile by their traceback. */

import { h } from "../parts/dom";
import type { Filter } from "../parts/filter";
import { type Section, section } from "../parts/section";
import { type Column, Table } from "../parts/table";
import { METHOD, NAME, number } from "./columns";
import type { ExceptionRow, FailureRow, TemplateArgs } from "./data";

export function failures(args: TemplateArgs, filter: Filter): Section {
  const columns: Column<FailureRow>[] = [
    number("Failures", (row) => row.occurrences),
    METHOD,
    NAME,
    { title: "Message", key: (row) => row.error, style: "message" },
    { title: "First seen", key: (row) => row.first_seen, show: (row) => seen(row.first_seen), style: "seen" },
    { title: "Last seen", key: (row) => row.last_seen, show: (row) => seen(row.last_seen), style: "seen" },
  ];
  const rows = args.failures_statistics.toSorted((a, b) => b.occurrences - a.occurrences);
  const text = (row: FailureRow) => `${row.method} ${row.name} ${row.error}`;
  const table = new Table({ caption: "Failures", columns, rows, filter, text, empty: "No request failed." });
  return section(
    "failures",
    "Failures",
    null,
    rows.length > 0 ? table.element : h("p", { class: "none" }, "No request failed."),
  );
}

export function exceptions(args: TemplateArgs): Section | null {
  const rows = args.exceptions_statistics;
  if (rows.length === 0) return null;
  const columns: Column<ExceptionRow>[] = [
    number("Count", (row) => row.count),
    { title: "Message", key: (row) => row.msg, style: "message" },
    { title: "Nodes", key: (row) => row.nodes },
    { title: "Traceback", key: (row) => row.traceback, show: traceback, style: "trace" },
  ];
  const note = "Raised by the locustfile. The user went on with its next task.";
  return section("exceptions", "Exceptions", note, new Table({ caption: "Exceptions", columns, rows }).element);
}

function traceback(row: ExceptionRow): Node {
  // The last line of code; what marks a part of it stands below.
  const lines = row.traceback.split("\n").map((line) => line.trim());
  const last = lines.findLast((line) => /[^~^\s]/.test(line)) ?? "";
  return h("details", {}, h("summary", {}, h("code", {}, last)), h("pre", {}, row.traceback));
}

function seen(time: number | null): string {
  return time === null ? "" : new Date(time * 1000).toLocaleTimeString("en-GB");
}
