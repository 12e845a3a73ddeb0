/** The top of the page: what was tested, when, and by what. */

import { type Child, h } from "../parts/dom";
import { themeSwitch } from "../parts/theme";
import type { Run, TemplateArgs } from "./data";

export function header(args: TemplateArgs, run: Run): HTMLElement {
  const what = args.locustfile === "None" ? "Load test" : `load test of ${args.locustfile}`;
  document.title = args.profile ? `${args.profile}: ${what}` : `${what[0]?.toUpperCase()}${what.slice(1)}`;
  const facts: [string, Child][] = [
    ["During", during(args)],
    ["Host", args.host === "None" ? "none" : args.host],
    ["Script", args.locustfile === "None" ? "none" : args.locustfile],
  ];
  if (args.profile) facts.unshift(["Profile", args.profile]);
  if (run.seed !== null) facts.push(["Seed", String(run.seed)]);
  const list = h(
    "dl",
    { class: "facts" },
    ...facts.map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value))),
  );
  const download = args.show_download_link
    ? h("a", { class: "quiet", href: "?download=1", download: "report.html" }, "Download")
    : null;
  const tools = h("div", { class: "tools" }, download, themeSwitch());
  return h("header", {}, h("div", { class: "heading" }, h("h1", {}, "Load test report"), tools), list);
}

/** In the reader's time zone, which is named: reports travel. */
function during({ start_time, end_time, duration }: TemplateArgs): string {
  const [start, end] = [new Date(start_time), new Date(end_time)];
  const whole = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "medium" });
  const zoned = new Intl.DateTimeFormat("en-GB", { timeStyle: "long" });
  const until = start.toDateString() === end.toDateString() ? zoned.format(end) : `${whole.format(end)}`;
  return `${whole.format(start)} – ${until} (${duration})`;
}
