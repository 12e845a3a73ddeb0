/** The card of the login: a form, standard or the locustfile's own, and buttons of providers. */

import { useEffect, useRef } from "preact/hooks";
import { themeSwitch } from "../../parts/theme";
import type { AuthArgs, LoginInput } from "../data/auth-args";
import logo from "../logo.svg";
import { Alert, Field } from "./field";
import { SecretInput } from "./secret-input";

const STANDARD: LoginInput[] = [
  { label: "Username", name: "username", is_required: true },
  { label: "Password", name: "password", is_secret: true, is_required: true },
];

export function Login({ auth }: { auth: AuthArgs }) {
  const { custom_form, username_password_callback, auth_providers = [] } = auth;
  const form =
    custom_form ?? (username_password_callback && { callback_url: username_password_callback, inputs: STANDARD });
  const isEmpty = !form && auth_providers.length === 0;
  return (
    <main class="login">
      <section class="card">
        <div class="login-head">
          <img src={logo} alt="" width="36" height="36" />
          <h1>{auth.title ?? "Locust"}</h1>
          <ThemeSwitch />
        </div>
        {auth.info && <Alert kind="note">{auth.info}</Alert>}
        {auth.error && <Alert kind="bad">{auth.error}</Alert>}
        {form && (
          <form method="post" action={form.callback_url}>
            {form.inputs.map((input) => (
              <Control key={input.name} input={input} />
            ))}
            <button type="submit" class="primary">
              {custom_form?.submit_button_text ?? "Login"}
            </button>
          </form>
        )}
        {auth_providers.length > 0 && (
          <ul class="providers">
            {auth_providers.map(({ label, callback_url, icon_url }) => (
              <li key={label}>
                <a class="quiet" href={callback_url}>
                  {icon_url && <img src={icon_url} alt="" width="20" height="20" />}
                  {label}
                </a>
              </li>
            ))}
          </ul>
        )}
        {isEmpty && <Alert kind="warning">The locustfile offers no way to log in.</Alert>}
      </section>
    </main>
  );
}

function ThemeSwitch() {
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => place.current?.replaceChildren(themeSwitch()), []);
  return <div ref={place} />;
}

function Control({ input }: { input: LoginInput }) {
  const { label, name, default_value } = input;
  if (input.choices) return <Choice input={input} choices={input.choices} />;
  if (typeof default_value === "boolean") {
    return (
      <div class="field">
        <label class="check">
          <input type="checkbox" name={name} defaultChecked={default_value} />
          {label}
        </label>
      </div>
    );
  }
  if (input.is_secret) return <Secret input={input} />;
  return (
    <Field label={label}>
      {(ids) => (
        <input
          {...ids}
          type={(input.type ?? "text") as "text"}
          name={name}
          required={input.is_required}
          autocomplete={name === "username" ? "username" : undefined}
          defaultValue={default_value ?? ""}
        />
      )}
    </Field>
  );
}

function Secret({ input: { label, name, is_required, default_value } }: { input: LoginInput }) {
  return (
    <Field label={label}>
      {(ids) => (
        <SecretInput
          {...ids}
          name={name}
          label={label}
          required={is_required ?? false}
          autocomplete="current-password"
          defaultValue={String(default_value ?? "")}
        />
      )}
    </Field>
  );
}

function Choice({ input, choices }: { input: LoginInput; choices: (string | number)[] }) {
  return (
    <Field label={input.label}>
      {(ids) => (
        <select {...ids} name={input.name} required={input.is_required} multiple={input.is_multiple}>
          {choices.map((choice) => (
            <option key={choice} value={String(choice)} selected={choice === input.default_value}>
              {choice}
            </option>
          ))}
        </select>
      )}
    </Field>
  );
}
