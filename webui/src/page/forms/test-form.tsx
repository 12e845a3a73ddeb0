/** The form that starts a test. */

import { useState } from "preact/hooks";
import { pending, swarm } from "../actions";
import { args, type TemplateArgs } from "../data/args";
import { store } from "../data/store";
import { ClassPicker } from "./class-picker";
import { type Draft, draftOf, isShaped, looksLikeHost, NO_SHAPE, remember, startFields } from "./draft";
import { ExtraOptions } from "./extra";
import { Alert, Field } from "./field";
import { LoadFields, RunTimeField } from "./load";

export function TestForm({ onStarted }: { onStarted?: () => void }) {
  const [draft, setDraft] = useState(() => draftOf(args.value));
  const [refusal, setRefusal] = useState<string | null>(null);
  const change = (changed: Partial<Draft>) => {
    setDraft((before) => ({ ...before, ...changed }));
    setRefusal(null);
  };
  const obstacle = whyNot(args.value, draft);
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    if (obstacle !== null) return setRefusal(obstacle);
    const refused = await swarm(startFields(args.value, draft));
    setRefusal(refused);
    if (refused !== null) return;
    remember(draft, args.value.extra_options);
    onStarted?.();
  };
  const extra = args.value.extra_options;
  return (
    <form class="test" onSubmit={submit}>
      {args.value.show_userclass_picker && <Picker draft={draft} onChange={change} />}
      {isShaped(args.value, draft) ? (
        <Alert kind="note">The load shape says how many users run, and how fast they come.</Alert>
      ) : (
        <LoadFields draft={draft} onChange={change} />
      )}
      <Host draft={draft} onChange={change} />
      {Object.keys(extra).length > 0 && (
        <details open class="group">
          <summary>Custom parameters</summary>
          <ExtraOptions options={extra} draft={draft} onChange={change} />
        </details>
      )}
      <Advanced draft={draft} onChange={change} />
      {refusal && <Alert kind="bad">{refusal}</Alert>}
      <WorkersWanted />
      <div class="buttons">
        <button type="submit" class="primary" disabled={pending.value !== null || isWithoutWorkers()}>
          {pending.value === "swarm" ? "Starting…" : "Start"}
        </button>
      </div>
    </form>
  );
}

type Part = { draft: Draft; onChange: (change: Partial<Draft>) => void };

/** What would start something else than the form says. */
function whyNot({ show_userclass_picker }: TemplateArgs, { classes }: Draft): string | null {
  return show_userclass_picker && classes.length === 0 ? "Choose at least one user class." : null;
}

function isWithoutWorkers(): boolean {
  const { is_distributed, worker_count } = store.state.value;
  return is_distributed && worker_count === 0;
}

function WorkersWanted() {
  return isWithoutWorkers() ? (
    <Alert kind="warning">No worker is connected, and a test needs at least one.</Alert>
  ) : null;
}

function Picker({ draft, onChange }: Part) {
  return (
    <>
      <ClassPicker draft={draft} onChange={onChange} />
      <Field label="Shape class">
        {(ids) => (
          <select
            {...ids}
            name="shape_class"
            value={draft.shape}
            onChange={(event) => onChange({ shape: event.currentTarget.value })}
          >
            {args.value.available_shape_classes.map((name) => (
              <option key={name} value={name}>
                {name === NO_SHAPE ? "none (users and ramp up as below)" : name}
              </option>
            ))}
          </select>
        )}
      </Field>
    </>
  );
}

function Host({ draft, onChange }: Part) {
  const [isLeft, leave] = useState(false);
  const { is_host_required, override_host_warning, missing_host_warning } = args.value;
  const warning =
    isLeft && !looksLikeHost(draft.host) ? "This does not look like a host: https://shop.example" : undefined;
  const hint = override_host_warning
    ? "Goes before the hosts of the user classes, which differ; empty leaves them"
    : missing_host_warning && draft.host === ""
      ? "No host is set: requests need one unless they have whole addresses"
      : "For example https://shop.example";
  return (
    <Field label="Host" hint={hint} warning={warning}>
      {(ids) => (
        <input
          {...ids}
          name="host"
          type="text"
          inputMode="url"
          autocomplete="off"
          spellcheck={false}
          required={is_host_required}
          value={draft.host}
          onInput={(event) => onChange({ host: event.currentTarget.value })}
          onBlur={() => leave(true)}
        />
      )}
    </Field>
  );
}

function Advanced({ draft, onChange }: Part) {
  const profiles = args.value.all_profiles ?? [];
  return (
    <details class="group" open={draft.runTime !== "" || draft.profile !== ""}>
      <summary>Advanced options</summary>
      <div class="fields">
        <RunTimeField draft={draft} onChange={onChange} hint="20, 20s, 3m, 2h, 1h20m; empty: until it is stopped" />
        <Field label="Profile" hint="A name for this run, as reports have it">
          {(ids) => (
            <>
              <input
                {...ids}
                name="profile"
                type="text"
                autocomplete="off"
                list="profiles"
                value={draft.profile}
                onInput={(event) => onChange({ profile: event.currentTarget.value })}
              />
              <datalist id="profiles">
                {profiles.map((profile) => (
                  <option key={profile} value={profile} />
                ))}
              </datalist>
            </>
          )}
        </Field>
      </div>
    </details>
  );
}
