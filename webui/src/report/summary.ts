/** What one wants to know first: did it pass, how many, how fast, and what to make of it. */

import { h } from "../parts/dom";
import { clock, duration, percent, rate, whole } from "../parts/format";
import { checks, words } from "../parts/judgement";
import { type Section, section } from "../parts/section";
import { type Run, type TemplateArgs, withTotal } from "./data";

const VERDICTS = {
  passed: { sign: "✓", title: "Passed" },
  failed: { sign: "✕", title: "Failed" },
};

export function summary(args: TemplateArgs, run: Run): Section {
  const facts = [verdict(run), tiles(args, run), words(run.words), checks(run.checks)];
  return section("summary", "Summary", null, ...facts);
}

function verdict(run: Run): HTMLElement | null {
  if (!run.verdict) return null;
  const { sign, title } = VERDICTS[run.verdict];
  const passed = run.checks.filter((check) => check.passed).length;
  const counted = `${passed} of ${run.checks.length} ${run.checks.length === 1 ? "check" : "checks"} held`;
  const mark = h("span", { class: "sign", "aria-hidden": "true" }, sign);
  return h("p", { class: `verdict ${run.verdict}` }, mark, h("strong", {}, title), h("span", {}, counted));
}

function tiles(args: TemplateArgs, run: Run): HTMLElement {
  const { total } = withTotal(args.requests_statistics);
  const times = withTotal(args.response_time_statistics).total;
  const at = (quantile: string): string => duration(Number(times?.[quantile] ?? 0));
  const requests = total?.num_requests ?? 0;
  const failures = total?.num_failures ?? 0;
  const failed = requests > 0 ? failures / requests : 0;
  const users = Math.max(0, ...(run.timeline?.users ?? []));
  return h(
    "dl",
    { class: "tiles" },
    tile("Requests", whole(requests), `in ${clock(span(args))}`),
    tile("Requests per second", rate(total?.total_rps ?? 0), run.timeline ? `${whole(users)} users at most` : ""),
    tile("Failures", percent(failed), `${whole(failures)} requests`, failures > 0 ? "bad" : ""),
    tile("Median", duration(total?.median_response_time ?? 0), "response time"),
    tile("95th percentile", at("0.95"), "response time"),
    tile("99th percentile", at("0.99"), "response time"),
    lag(run),
  );
}

function span({ start_time, end_time }: TemplateArgs): number {
  return (Date.parse(end_time) - Date.parse(start_time)) / 1000;
}

function lag({ lag, timeline }: Run): HTMLElement | null {
  if (!lag) return null;
  const saturated = timeline?.saturated.reduce((sum, [start, end]) => sum + end - start, 0) ?? 0;
  const note = saturated > 0 ? `saturated for ${duration(saturated * 1000)}` : "p99; the generator kept up";
  return tile("Generator lag", duration(lag.p99_ms), note, saturated > 0 || lag.warning ? "warning" : "");
}

function tile(name: string, value: string, note: string, weight = ""): HTMLElement {
  return h(
    "div",
    { class: `tile ${weight}`.trim() },
    h("dt", {}, name),
    h("dd", {}, h("strong", {}, value), h("span", {}, note)),
  );
}
