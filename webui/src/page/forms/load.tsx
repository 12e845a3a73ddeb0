/** How many users, and how fast they come. */

import { type Draft, digits } from "./draft";
import { Field } from "./field";

interface Props {
  draft: Draft;
  onChange: (change: Partial<Draft>) => void;
}

export function LoadFields({ draft, onChange }: Props) {
  return (
    <div class="fields">
      <Field label="Number of users" hint="At the peak, all at the same time">
        {(ids) => (
          <input
            {...ids}
            name="user_count"
            type="text"
            inputMode="numeric"
            autocomplete="off"
            required
            value={draft.users}
            onInput={(event) => {
              event.currentTarget.value = digits(event.currentTarget.value);
              onChange({ users: event.currentTarget.value });
            }}
          />
        )}
      </Field>
      <Field label="Ramp up" hint="Users started each second">
        {(ids) => (
          <input
            {...ids}
            name="spawn_rate"
            type="text"
            inputMode="decimal"
            autocomplete="off"
            required
            value={draft.rate}
            onInput={(event) => {
              event.currentTarget.value = digits(event.currentTarget.value, true);
              onChange({ rate: event.currentTarget.value });
            }}
          />
        )}
      </Field>
    </div>
  );
}

export function RunTimeField({ draft, onChange, hint }: Props & { hint: string }) {
  return (
    <Field label="Run time" hint={hint}>
      {(ids) => (
        <input
          {...ids}
          name="run_time"
          type="text"
          autocomplete="off"
          value={draft.runTime}
          onInput={(event) => onChange({ runTime: event.currentTarget.value })}
        />
      )}
    </Field>
  );
}
