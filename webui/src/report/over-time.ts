/** What happened when. */

import { ANNOTATION, annotations } from "../parts/annotations";
import { SATURATED } from "../parts/chart/bands";
import { type Column, type TimeChart, TimeCharts } from "../parts/chart/time";
import { h } from "../parts/dom";
import { duration, rate, whole, wholeOrLess } from "../parts/format";
import { type Section, section } from "../parts/section";
import { type Run, type TemplateArgs, type Timeline, withTotal } from "./data";

export function overTime(args: TemplateArgs, run: Run): Section {
  const { timeline } = run;
  if (!timeline || timeline.ends_s.length < 2) {
    return section("charts", "Over time", null, h("p", { class: "none" }, "The run was too short for charts."));
  }
  const charts = new TimeCharts({ shaded: SATURATED });
  charts.show({
    times: times(timeline),
    charts: measured(chartsOf(args, run, timeline)),
    spans: timeline.saturated.map(([start, end]) => [timeline.start + start, timeline.start + end]),
    start: timeline.start,
    marks: run.annotations.map(({ time, text }) => ({ at: time, text, color: ANNOTATION })),
  });
  const each = duration(timeline.interval_s * 1000);
  const note = `Each point is ${each} of the run.${saturation(timeline)}`;
  return section("charts", "Over time", note, charts.element, annotations(run.annotations, timeline.start));
}

function saturation(timeline: Timeline): string {
  if (timeline.saturated.length === 0) return "";
  return (
    " Where it is shaded, the generator was saturated: finished responses waited long for the locustfile's own code, so that " +
    "less load was made than the users would have made."
  );
}

function times(timeline: Timeline): number[] {
  return timeline.ends_s.map((end) => timeline.start + end);
}

/** What was never measured, as the lag of a run that a script made, has no chart and no line. */
function measured(charts: TimeChart[]): TimeChart[] {
  const has = (column: Column | undefined) => column?.some((value) => value !== null) ?? false;
  const lines = charts.map((chart) => {
    const known = chart.lines.map((_, index) => index).filter((index) => has(chart.columns[index]));
    const pick = <T>(all: T[]) => known.map((index) => all[index] as T);
    return { ...chart, lines: pick(chart.lines), columns: pick(chart.columns), whole: pick(chart.whole) };
  });
  return lines.filter((chart) => chart.lines.length > 0);
}

function chartsOf(args: TemplateArgs, run: Run, timeline: Timeline): TimeChart[] {
  const { total } = withTotal(args.requests_statistics);
  const quantiles = withTotal(args.response_time_statistics).total;
  const perSecond = (counts: number[]) => counts.map((count, index) => count / seconds(timeline, index));
  const { requests, failures, p50_ms, p95_ms, p99_ms } = timeline.total;
  const whole_run = (quantile: string) => (quantiles ? duration(Number(quantiles[quantile])) : null);
  return [
    {
      title: "Requests per second",
      lines: [
        { label: "Requests", color: "rps", show: rate, filled: true },
        { label: "Failures", color: "failures", show: rate, filled: true },
      ],
      columns: [perSecond(requests), perSecond(failures)],
      whole: [rate(total?.total_rps ?? 0), rate(total?.total_fail_per_sec ?? 0)],
      unit: wholeOrLess,
    },
    {
      title: "Response times",
      lines: [
        { label: "Median", color: "p50", show: duration },
        { label: "95th percentile", color: "p95", show: duration },
        { label: "99th percentile", color: "p99", show: duration },
      ],
      columns: [p50_ms, p95_ms, p99_ms],
      whole: [total ? duration(total.median_response_time) : null, whole_run("0.95"), whole_run("0.99")],
      unit: duration,
    },
    {
      title: "Users",
      lines: [
        { label: "Users", color: "users", show: whole, filled: true },
        { label: "Asked for", color: "muted", show: whole, dash: true },
      ],
      columns: [timeline.users, timeline.target_users ?? timeline.users.map(() => null)],
      whole: [`${whole(Math.max(0, ...timeline.users))} at most`, ""],
      unit: wholeOrLess,
    },
    {
      title: "Generator lag",
      lines: [{ label: "99th percentile", color: "lag", show: duration }],
      columns: [timeline.lag_p99_ms],
      whole: [run.lag ? duration(run.lag.p99_ms) : null],
      unit: duration,
    },
  ];
}

/** Of one interval. The last is shorter, and one in which the machine hung is longer. */
function seconds(timeline: Timeline, index: number): number {
  const start = index === 0 ? 0 : (timeline.ends_s[index - 1] ?? 0);
  return Math.max(0.001, (timeline.ends_s[index] ?? 0) - start);
}
