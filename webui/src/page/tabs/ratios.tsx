/** Which users run, and how they share their time among their tasks. */

import { percent } from "../../parts/format";
import type { Ratio } from "../../report/data";
import { usePolled } from "./polled";

interface Ratios {
  per_class: Record<string, Ratio>;
  total: Record<string, Ratio>;
}

const EVERY_MS = 5000;

export function Ratios() {
  const ratios = usePolled<Ratios>("./tasks", EVERY_MS);
  if (!ratios) return <p class="none">Asking for the ratios…</p>;
  return (
    <div class="pair">
      <Tree title="Ratio per class" note="A task's share within its class or task set." ratios={ratios.per_class} />
      <Tree title="Total ratio" note="A task's share among all that users do." ratios={ratios.total} />
    </div>
  );
}

function Tree({ title, note, ratios }: { title: string; note: string; ratios: Record<string, Ratio> }) {
  return (
    <section class="ratios" aria-label={title}>
      <h2>{title}</h2>
      <p class="note">{note}</p>
      <Branch ratios={ratios} isUser />
    </section>
  );
}

function Branch({ ratios, isUser = false }: { ratios: Record<string, Ratio>; isUser?: boolean }) {
  return (
    <ul>
      {Object.entries(ratios).map(([name, { ratio, tasks }]) => (
        <li key={name}>
          <div class="ratio">
            <span class={isUser ? "user" : ""}>{name}</span>
            <span class="meter" aria-hidden="true">
              <span style={{ width: `${Math.min(100, ratio * 100)}%` }} />
            </span>
            <span class="number">{percent(ratio)}</span>
          </div>
          {tasks && Object.keys(tasks).length > 0 && <Branch ratios={tasks} />}
        </li>
      ))}
    </ul>
  );
}
