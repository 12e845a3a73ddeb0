/** Where the response times go, of the entries that cost most. */

import { milliseconds } from "../../parts/format";
import { isTotal, title } from "../../report/data";
import type { StatsRow } from "../data/events";
import { rowKey } from "../data/rows";
import { store } from "../data/store";
import { entry } from "./shown";

const MOST = 10;

/** In the order in which a request goes through them. */
const ORDER = ["look-up", "connect", "TLS", "sending", "waiting", "receiving"];

export interface Bar {
  row: StatsRow;
  parts: number[];
  sum: number;
}

/** The chosen entry, or those on which most time was spent, and all together. */
export function bars(rows: StatsRow[], total: StatsRow | null, chosen: { method: string; name: string } | null): Bar[] {
  const bar = (row: StatsRow): Bar => {
    const parts = ORDER.map((phase) => row.phases_ms?.[phase] ?? 0);
    return { row, parts, sum: parts.reduce((sum, part) => sum + part, 0) };
  };
  const spent = ({ row, sum }: Bar) => sum * row.num_requests;
  const measured = rows.filter((row) => row.phases_ms).map(bar);
  const isChosen = ({ row }: Bar) => row.method === chosen?.method && row.name === chosen.name;
  const shown = chosen ? measured.filter(isChosen) : measured.toSorted((a, b) => spent(b) - spent(a)).slice(0, MOST);
  return [...shown, ...(total?.phases_ms ? [bar(total)] : [])];
}

export function Phases() {
  const all = bars(store.rows.value, store.total.value, entry.value);
  if (all.length === 0) return null;
  const longest = Math.max(...all.map(({ sum }) => sum));
  return (
    <section aria-labelledby="phases-title">
      <h2 id="phases-title">Where the time goes</h2>
      <p class="note">
        {entry.value
          ? "Averages for each request."
          : `Averages for each request, of the ${MOST} entries on which most time was spent.`}
      </p>
      <ul class="legend">
        {ORDER.map((phase, index) => (
          <li key={phase}>
            <span class="swatch" style={{ background: `var(--phase-${index + 1})` }} aria-hidden="true" />
            {phase}
          </li>
        ))}
      </ul>
      <dl class="phase-bars">
        {all.map(({ row, parts, sum }) => (
          <div key={rowKey(row)} class={isTotal(row) ? "total" : ""}>
            <dt>{title(row)}</dt>
            <dd>
              <Stack parts={parts} longest={longest} />
              <span class="number">{milliseconds(sum)} ms</span>
            </dd>
          </div>
        ))}
      </dl>
    </section>
  );
}

function Stack({ parts, longest }: { parts: number[]; longest: number }) {
  const said = parts.map((value, index) => `${ORDER[index]} ${milliseconds(value)} ms`);
  return (
    <div class="stack" role="img" aria-label={said.join(", ")}>
      {parts.map((value, index) => (
        <span
          key={ORDER[index]}
          title={said[index]}
          style={{ width: `${longest > 0 ? (100 * value) / longest : 0}%`, background: `var(--phase-${index + 1})` }}
        />
      ))}
    </div>
  );
}
