/** The tables of requests and of response times, which hold what Locust's reports have there. */

import { share } from "../parts/bars";
import type { Filter } from "../parts/filter";
import { bytes, milliseconds, percent, rate, whole } from "../parts/format";
import { type Section, section } from "../parts/section";
import { type Column, Table } from "../parts/table";
import { entryText, METHOD, NAME, number } from "./columns";
import { type RequestRow, type TemplateArgs, type TimesRow, withTotal } from "./data";

export function requests(args: TemplateArgs, filter: Filter): Section {
  const { rows, total } = withTotal(args.requests_statistics);
  const all = total?.num_requests ?? 0;
  const columns: Column<RequestRow>[] = [
    METHOD,
    NAME,
    {
      ...number<RequestRow>("Requests", (row) => row.num_requests),
      show: (row) => share(all > 0 ? row.num_requests / all : 0, whole(row.num_requests)),
    },
    {
      title: "Failures",
      key: (row) => row.num_failures,
      show: (row) => failures(row),
      numeric: true,
    },
    number("Avg (ms)", (row) => row.avg_response_time, milliseconds),
    number("Min (ms)", (row) => row.min_response_time, milliseconds),
    number("Max (ms)", (row) => row.max_response_time, milliseconds),
    number("Size", (row) => row.avg_content_length, bytes),
    number("RPS", (row) => row.total_rps, rate),
    number("Failures/s", (row) => row.total_fail_per_sec, rate),
  ];
  const table = new Table({
    caption: "Requests",
    columns,
    rows,
    total,
    filter,
    text: entryText,
    empty: "No request was made.",
  });
  return section(
    "requests",
    "Requests",
    "Rates are over the whole run. A click on a column's head sorts.",
    table.element,
  );
}

function failures(row: RequestRow): Node | string {
  if (row.num_failures === 0) return "0";
  const failed = row.num_requests > 0 ? row.num_failures / row.num_requests : 1;
  const shown = share(failed, `${whole(row.num_failures)} (${percent(failed)})`);
  shown.classList.add("bad");
  return shown;
}

export function responseTimes(args: TemplateArgs, filter: Filter): Section {
  const { rows, total } = withTotal(args.response_time_statistics);
  const quantiles = Object.keys(total ?? {}).filter((key) => key !== "name" && key !== "method");
  quantiles.sort((a, b) => Number(a) - Number(b));
  const columns: Column<TimesRow>[] = [
    METHOD,
    NAME,
    ...quantiles.map((quantile) =>
      number<TimesRow>(`${percentile(quantile)} %`, (row) => Number(row[quantile] ?? 0), whole),
    ),
  ];
  const table = new Table({ caption: "Response times", columns, rows, total, filter, text: entryText });
  const note = "In milliseconds: this share of the requests took no longer.";
  return section("response-times", "Response times", note, table.element);
}

function percentile(quantile: string): string {
  return String(Number((Number(quantile) * 100).toFixed(4)));
}
