/** Where the response times went: connecting, waiting for the server, receiving. */

import { legend, type Part, stackedBar } from "../parts/bars";
import type { Filter } from "../parts/filter";
import { milliseconds, whole } from "../parts/format";
import { type Section, section } from "../parts/section";
import { type Column, Table } from "../parts/table";
import { entryText, METHOD, NAME, number } from "./columns";
import { isTotal, type Phases } from "./data";

type Row = Phases["rows"][number];

export function phases(data: Phases, filter: Filter): Section | null {
  const all = data.rows.filter((row) => row.calls > 0);
  if (all.length === 0) return null;
  const parts = data.names.map((name, index): Part => ({ name, color: `phase-${index + 1}` }));
  const longest = Math.max(...all.map(sum));
  const columns: Column<Row>[] = [
    METHOD,
    NAME,
    {
      title: "Where the time goes",
      key: sum,
      show: (row) => stackedBar(parts, row.average_ms, longest),
      numeric: true,
      style: "bar",
    },
    number("Average (ms)", sum, milliseconds),
    number("Waiting (ms)", (row) => row.average_ms[data.names.indexOf("waiting")] ?? 0, milliseconds),
    number("Opened", (row) => row.opened, whole),
    number("Reused", (row) => row.reused, whole),
  ];
  const rows = all.filter((row) => !isTotal(row)).toSorted((a, b) => sum(b) - sum(a));
  const table = new Table({ caption: "Phases", columns, rows, total: all.find(isTotal), filter, text: entryText });
  const note = "Averages for each request. Opened and reused count the connections that requests were sent on.";
  return section("phases", "Phases", note, legend(parts), table.element);
}

function sum(row: Row): number {
  return row.average_ms.reduce((total, value) => total + value, 0);
}
