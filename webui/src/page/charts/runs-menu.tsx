/** Which runs of this session are drawn beside the present one, and how. */

import { clock, whole } from "../../parts/format";
import { store } from "../data/store";
import { Menu } from "../shell/menu";
import { QUANTILES, type Quantile } from "./curves";
import { beside, isAligned, isCompared, quantile, runLabel } from "./shown";

function toggle(run: number, isShown: boolean): void {
  const next = new Set(beside.value);
  if (isShown) next.add(run);
  else next.delete(run);
  beside.value = next;
}

export function RunsMenu() {
  const present = store.timeline.value?.run;
  const others = store.runs.value.filter(({ run }) => run !== present).toReversed();
  if (others.length === 0) return null;
  return (
    <Menu label="Compare runs">
      <fieldset class="choices">
        <legend>Runs to show beside this one</legend>
        {others.map((run) => (
          <label key={run.run}>
            <input
              type="checkbox"
              checked={beside.value.has(run.run)}
              onChange={(event) => toggle(run.run, event.currentTarget.checked)}
            />
            {runLabel(run)}
            <span class="muted">
              {whole(run.users)} users, {clock(run.seconds)}
            </span>
          </label>
        ))}
      </fieldset>
      <fieldset class="choices">
        <legend>Drawn</legend>
        <Way is={true} label="over each other, from their starts" />
        <Way is={false} label="one after another" />
      </fieldset>
    </Menu>
  );
}

function Way({ is, label }: { is: boolean; label: string }) {
  return (
    <label>
      <input
        type="radio"
        name="runs-drawn"
        checked={isAligned.value === is}
        onChange={() => {
          isAligned.value = is;
        }}
      />
      {label}
    </label>
  );
}

export function QuantilePick() {
  if (!isCompared.value) return null;
  return (
    <label class="pick">
      Response times
      <select
        value={quantile.value}
        onChange={(event) => {
          quantile.value = event.currentTarget.value as Quantile;
        }}
      >
        {Object.entries(QUANTILES).map(([key, name]) => (
          <option key={key} value={key}>
            {name}
          </option>
        ))}
      </select>
    </label>
  );
}
