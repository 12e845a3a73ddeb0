/** What a locustfile says about its login (`web_ui.auth_args`), under Locust's names. */

export interface LoginInput {
  label: string;
  name: string;
  type?: string;
  default_value?: string | number | boolean | null;
  choices?: (string | number)[] | null;
  is_multiple?: boolean;
  is_secret?: boolean;
  is_required?: boolean;
}

export interface AuthArgs {
  username_password_callback?: string;
  auth_providers?: { label: string; callback_url: string; icon_url?: string | null }[];
  custom_form?: { inputs: LoginInput[]; callback_url: string; submit_button_text?: string };
  error?: string | null;
  info?: string | null;
  title?: string;
}

export function readAuthArgs(page: Document): AuthArgs {
  let found: AuthArgs = {};
  try {
    found = JSON.parse(page.getElementById("auth-args")?.textContent ?? "{}") as AuthArgs;
  } catch {
    // A page that was served without arguments: it says that there is no login.
  }
  // Where scripts that drive Locust's page look.
  Object.assign(window, { authArgs: found });
  return found;
}
