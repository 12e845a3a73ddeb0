/** Which user classes take part, and what they are set to. */

import { useEffect, useRef, useState } from "preact/hooks";
import { args } from "../data/args";
import { ClassSettings } from "./class-settings";
import type { Draft } from "./draft";

interface Props {
  draft: Draft;
  onChange: (change: Partial<Draft>) => void;
}

export function ClassPicker({ draft, onChange }: Props) {
  const [opened, open] = useState<string | null>(null);
  const all = args.value.available_user_classes ?? [];
  const chosen = new Set(draft.classes);
  const choose = (name: string, isChosen: boolean) =>
    onChange({ classes: all.filter((each) => (each === name ? isChosen : chosen.has(each))) });
  return (
    <fieldset class="field class-picker">
      <legend>User classes</legend>
      <div class="scroll">
        <table>
          <thead>
            <tr>
              <th class="tick">
                <AllOrNone all={all} chosen={draft.classes} onChange={(classes) => onChange({ classes })} />
              </th>
              <th scope="col">Class</th>
              <th scope="col">Host</th>
              <th scope="col">
                <span class="read-out">Settings</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {all.map((name) => (
              <tr key={name}>
                <td class="tick">
                  <input
                    type="checkbox"
                    name="user_classes"
                    aria-label={name}
                    checked={chosen.has(name)}
                    onChange={(event) => choose(name, event.currentTarget.checked)}
                  />
                </td>
                <td class="name">{name}</td>
                <td class="host">{String(args.value.users?.[name]?.host ?? "")}</td>
                <td class="number">
                  <button type="button" class="quiet" aria-label={`Settings of ${name}`} onClick={() => open(name)}>
                    Settings
                  </button>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {opened && <ClassSettings name={opened} onClose={() => open(null)} />}
    </fieldset>
  );
}

interface AllProps {
  all: string[];
  chosen: string[];
  onChange: (chosen: string[]) => void;
}

function AllOrNone({ all, chosen, onChange }: AllProps) {
  const box = useRef<HTMLInputElement>(null);
  const isSome = chosen.length > 0 && chosen.length < all.length;
  useEffect(() => {
    if (box.current) box.current.indeterminate = isSome;
  }, [isSome]);
  return (
    <input
      ref={box}
      type="checkbox"
      aria-label="All user classes"
      checked={chosen.length === all.length}
      onChange={(event) => onChange(event.currentTarget.checked ? all : [])}
    />
  );
}
