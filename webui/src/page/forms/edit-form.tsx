/** The form that changes the test that runs. */

import { useState } from "preact/hooks";
import { pending, remainingRunTime, swarm } from "../actions";
import { args } from "../data/args";
import { store } from "../data/store";
import { type Draft, draftOf, editFields, remember, timeSpan } from "./draft";
import { ExtraOptions } from "./extra";
import { Alert } from "./field";
import { LoadFields, RunTimeField } from "./load";

export function EditForm({ onDone }: { onDone: () => void }) {
  const [draft, setDraft] = useState(present);
  const [refusal, setRefusal] = useState<string | null>(null);
  const change = (changed: Partial<Draft>) => {
    setDraft((before) => ({ ...before, ...changed }));
    setRefusal(null);
  };
  const extra = args.value.extra_options;
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    const refused = await swarm(editFields(args.value, draft));
    setRefusal(refused);
    if (refused !== null) return;
    remember(draft, extra);
    onDone();
  };
  return (
    <form class="test" onSubmit={submit}>
      <LoadFields draft={draft} onChange={change} />
      <RunTimeField draft={draft} onChange={change} hint="From now on; empty: until it is stopped" />
      {Object.keys(extra).length > 0 && (
        <details open class="group">
          <summary>Custom parameters</summary>
          <ExtraOptions options={extra} draft={draft} onChange={change} />
        </details>
      )}
      {refusal && <Alert kind="bad">{refusal}</Alert>}
      <div class="buttons">
        <button type="submit" class="primary" disabled={pending.value !== null}>
          Update
        </button>
      </div>
    </form>
  );
}

/** The load as it is now, and what is left of the run time. */
function present(): Draft {
  const { target_user_count, spawn_rate } = store.state.value;
  const draft = draftOf(args.value);
  const left = remainingRunTime()[0]?.[1];
  return {
    ...draft,
    users: String(target_user_count || draft.users),
    rate: spawn_rate === null ? draft.rate : String(spawn_rate),
    runTime: left ? timeSpan(Number.parseInt(left, 10)) : "",
  };
}
