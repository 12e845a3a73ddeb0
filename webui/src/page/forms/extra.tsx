/** The locustfile's own arguments. */

import type { ExtraOption, OptionValue } from "../data/args";
import type { Draft } from "./draft";
import { label } from "./draft";
import { Field } from "./field";
import { SecretInput } from "./secret-input";

interface Props {
  options: Record<string, ExtraOption>;
  draft: Draft;
  onChange: (change: Partial<Draft>) => void;
}

export function ExtraOptions({ options, draft, onChange }: Props) {
  const change = (name: string, value: OptionValue) => onChange({ extra: { ...draft.extra, [name]: value } });
  return Object.entries(options).map(([name, option]) => (
    <Control key={name} name={name} option={option} value={draft.extra[name] ?? null} onChange={change} />
  ));
}

interface ControlProps {
  name: string;
  option: ExtraOption;
  value: OptionValue;
  onChange: (name: string, value: OptionValue) => void;
}

function Control(props: ControlProps) {
  const { option } = props;
  if (option.choices && option.is_multiple) return <Several {...props} choices={option.choices} />;
  if (option.choices) return <OneOf {...props} choices={option.choices} />;
  if (typeof option.default_value === "boolean") return <YesNo {...props} />;
  if (option.is_secret) return <Secret {...props} />;
  return <Text {...props} />;
}

function Text({ name, option, value, onChange }: ControlProps) {
  const isNumber = typeof option.default_value === "number";
  return (
    <Field label={label(name)} hint={option.help_text}>
      {(ids) => (
        <input
          {...ids}
          type="text"
          name={name}
          inputMode={isNumber ? "decimal" : undefined}
          required={option.is_required}
          autocomplete="off"
          value={Array.isArray(value) ? value.join(",") : String(value ?? "")}
          onInput={(event) => onChange(name, event.currentTarget.value)}
        />
      )}
    </Field>
  );
}

/** Its value never came here: an untouched one is not sent either. */
function Secret({ name, option, value, onChange }: ControlProps) {
  return (
    <Field label={label(name)} hint={option.help_text}>
      {(ids) => (
        <SecretInput
          {...ids}
          name={name}
          label={label(name)}
          required={option.is_required && !option.is_set}
          autocomplete="off"
          placeholder={option.is_set ? "is set; type to change it" : ""}
          value={String(value ?? "")}
          onType={(typed) => onChange(name, typed)}
        />
      )}
    </Field>
  );
}

function YesNo({ name, option, value, onChange }: ControlProps) {
  return (
    <div class="field">
      <label class="check">
        <input
          type="checkbox"
          name={name}
          checked={value === true}
          onChange={(event) => onChange(name, event.currentTarget.checked)}
        />
        {label(name)}
      </label>
      {option.help_text && <p class="hint">{option.help_text}</p>}
    </div>
  );
}

type Choices = { choices: (string | number)[] };

function OneOf({ name, option, value, choices, onChange }: ControlProps & Choices) {
  const chosen = String(value ?? "");
  const isKnown = choices.some((choice) => String(choice) === chosen);
  return (
    <Field label={label(name)} hint={option.help_text}>
      {(ids) => (
        <select
          {...ids}
          name={name}
          required={option.is_required}
          value={chosen}
          onChange={(event) => onChange(name, event.currentTarget.value)}
        >
          {!isKnown && <option value={chosen}>{chosen || "(none)"}</option>}
          {choices.map((choice) => (
            <option key={choice} value={String(choice)}>
              {choice}
            </option>
          ))}
        </select>
      )}
    </Field>
  );
}

function Several({ name, option, value, choices, onChange }: ControlProps & Choices) {
  const chosen = new Set((Array.isArray(value) ? value : []).map(String));
  const change = (choice: string, isChosen: boolean) => {
    const kept = choices.map(String).filter((each) => (each === choice ? isChosen : chosen.has(each)));
    onChange(name, kept);
  };
  return (
    <fieldset class="field several">
      <legend>{label(name)}</legend>
      <div class="choices">
        {choices.map(String).map((choice) => (
          <label key={choice} class="check">
            <input
              type="checkbox"
              name={name}
              value={choice}
              required={option.is_required && chosen.size === 0}
              checked={chosen.has(choice)}
              onChange={(event) => change(choice, event.currentTarget.checked)}
            />
            {choice}
          </label>
        ))}
      </div>
      {option.help_text && <p class="hint">{option.help_text}</p>}
    </fieldset>
  );
}
