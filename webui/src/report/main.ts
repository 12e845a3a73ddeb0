/** The report of a run: one page, drawn once from what stands in it. */

import "../styles/base.css";
import "../styles/parts.css";
import "../styles/report.css";
import "../styles/print.css";
import { h } from "../parts/dom";
import { Filter } from "../parts/filter";
import { navigation, type Section } from "../parts/section";
import { startTheme } from "../parts/theme";
import { concurrency } from "./concurrency";
import { completed } from "./data";
import { distribution } from "./distribution";
import { exceptions, failures } from "./failures";
import { header } from "./header";
import { options } from "./options";
import { overTime } from "./over-time";
import { phases } from "./phases";
import { requests, responseTimes } from "./requests";
import { summary } from "./summary";
import { tasks } from "./tasks";
import { workers } from "./workers";

const args = window.templateArgs;
const run = completed(args, window.gregaria);
startTheme(window.theme);

const filter = new Filter("Filter entries");
const sections = [
  summary(args, run),
  overTime(args, run),
  requests(args, filter),
  failures(args, filter),
  exceptions(args),
  responseTimes(args, filter),
  distribution(run.distribution),
  phases(run.phases, filter),
  concurrency(run.knee),
  workers(run.workers),
  tasks(args),
  options(run),
].filter((part): part is Section => part !== null);

const bar = h("div", { class: "bar-top" }, navigation(sections), filter.element);
const footer = h(
  "footer",
  {},
  `Made by gregaria ${run.version}. A response time is the server's: it ends with the last byte, and what a finished response then waits for the locustfile's own code is the generator lag.`,
);
// On paper nothing can be opened.
addEventListener("beforeprint", () => {
  for (const details of document.querySelectorAll("details")) details.open = true;
});
document.body.append(header(args, run), bar, h("main", {}, ...sections.map((part) => part.element)), footer);
