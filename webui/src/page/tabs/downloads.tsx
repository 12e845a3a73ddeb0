/** What was measured, to take away. */

import { signal } from "@preact/signals";
import { onThemeChange, theme } from "../../parts/theme";
import { args } from "../data/args";

const shade = signal(theme());
onThemeChange(() => {
  shade.value = theme();
});

interface Download {
  href: string;
  title: string;
  note: string;
}

const REQUESTS = {
  href: "./stats/requests/csv",
  title: "Download requests CSV",
  note: "Counts, rates and response times of each entry.",
};
const HISTORY = {
  href: "./stats/requests_full_history/csv",
  title: "Download full request statistics history CSV",
  note: "The same, second by second since the start.",
};
const FAILURES = {
  href: "./stats/failures/csv",
  title: "Download failures CSV",
  note: "What failed, how often, and why.",
};
const EXCEPTIONS = {
  href: "./exceptions/csv",
  title: "Download exceptions CSV",
  note: "What the locustfile raised, with tracebacks.",
};

export function Downloads() {
  const { stats_history_enabled, extended_csv_files } = args.value;
  const extended = (extended_csv_files ?? []).map((file) => ({ ...file, note: "" }));
  const files: Download[] = [REQUESTS, ...(stats_history_enabled ? [HISTORY] : []), FAILURES, EXCEPTIONS, ...extended];
  const report = `./stats/report?theme=${shade.value}`;
  return (
    <ul class="downloads">
      <li class="card">
        <a href={report} target="_blank" rel="noreferrer">
          Open the report
        </a>
        <p class="note">
          The whole run on one page that needs no other file.{" "}
          <a href={`${report}&download=1`} download>
            Download report
          </a>
        </p>
      </li>
      {files.map(({ href, title, note }) => (
        <li class="card" key={href}>
          <a href={href} download>
            {title}
          </a>
          <p class="note">{note}</p>
        </li>
      ))}
    </ul>
  );
}
