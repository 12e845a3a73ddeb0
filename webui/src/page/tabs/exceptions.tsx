/** What the locustfile raised, each with its traceback and where it happened. */

import { signal } from "@preact/signals";
import { matcher } from "../../parts/filter";
import { whole } from "../../parts/format";
import { store } from "../data/store";
import { FilterBox } from "./filter-box";

const filter = signal("");

export function Exceptions() {
  const all = store.exceptions.value;
  const matches = matcher(filter.value);
  const shown = all.filter(({ msg, traceback, nodes }) => matches(`${msg} ${traceback} ${nodes}`));
  if (all.length === 0) return <p class="none">The locustfile has raised no exception.</p>;
  return (
    <>
      <div class="toolbar">
        <FilterBox label="Filter exceptions" typed={filter} />
      </div>
      <ul class="exceptions">
        {shown.map(({ count, msg, nodes, traceback }) => (
          <li key={traceback} class="card">
            <details>
              <summary>
                <span class="times">{whole(count)} ×</span>
                <span class="message">{msg || "(no message)"}</span>
                <span class="nodes">{nodes}</span>
              </summary>
              <pre>{traceback}</pre>
            </details>
          </li>
        ))}
      </ul>
      <p class="count" role="status">
        {shown.length < all.length ? `${shown.length} of ${all.length} shown` : ""}
      </p>
    </>
  );
}
