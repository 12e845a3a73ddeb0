/** The dialog of one user class: its tasks and attributes. */

import { useState } from "preact/hooks";
import { changeClass } from "../actions";
import { args, setArgs, type UserClass } from "../data/args";
import { Dialog } from "../shell/dialog";
import { type ClassDraft, classChanges, classDraft } from "./class-attributes";
import { label } from "./draft";
import { Alert, Field } from "./field";

export function ClassSettings({ name, onClose }: { name: string; onClose: () => void }) {
  const before: UserClass = args.value.users?.[name] ?? {};
  const [draft, setDraft] = useState(() => classDraft(before));
  const [refusal, setRefusal] = useState<string | null>(null);
  const all = args.value.available_user_tasks?.[name] ?? before.tasks ?? [];
  const save = async (event: SubmitEvent) => {
    event.preventDefault();
    // The form of the test is around this one: only this one is sent.
    event.stopPropagation();
    const changes = classChanges(before, draft);
    const refused = Object.keys(changes).length > 0 ? await changeClass(name, changes) : null;
    setRefusal(refused);
    if (refused !== null) return;
    setArgs({ ...args.value, users: { ...args.value.users, [name]: { ...before, ...changes } } });
    onClose();
  };
  return (
    <Dialog title={`Settings of ${name}`} onClose={onClose}>
      <form onSubmit={save}>
        <Tasks all={all} draft={draft} onChange={setDraft} />
        {Object.entries(draft.attributes).map(([attribute, typed]) => (
          <Field key={attribute} label={label(attribute)}>
            {(ids) => (
              <input
                {...ids}
                type="text"
                name={attribute}
                autocomplete="off"
                value={typed}
                onInput={(event) =>
                  setDraft({
                    ...draft,
                    attributes: { ...draft.attributes, [attribute]: event.currentTarget.value },
                  })
                }
              />
            )}
          </Field>
        ))}
        {refusal && <Alert kind="bad">{refusal}</Alert>}
        <div class="buttons">
          <button type="submit" class="primary">
            Save
          </button>
        </div>
      </form>
    </Dialog>
  );
}

interface TasksProps {
  all: string[];
  draft: ClassDraft;
  onChange: (draft: ClassDraft) => void;
}

function Tasks({ all, draft, onChange }: TasksProps) {
  if (all.length === 0) return null;
  const names = [...new Set(all)];
  const change = (task: string, isChosen: boolean) =>
    onChange({ ...draft, tasks: names.filter((each) => (each === task ? isChosen : draft.tasks.includes(each))) });
  return (
    <fieldset class="field several">
      <legend>Tasks</legend>
      <div class="choices">
        {names.map((task) => (
          <label key={task} class="check">
            <input
              type="checkbox"
              checked={draft.tasks.includes(task)}
              onChange={(event) => change(task, event.currentTarget.checked)}
            />
            {task}
          </label>
        ))}
      </div>
    </fieldset>
  );
}
