/** What the server writes into the page: Locust's template arguments under Locust's names (`web_ui.template_args`). */

import { signal } from "@preact/signals";

/** A locustfile's own argument. Its key among the options is its dest name, which is posted as it is. */
export interface ExtraOption {
  choices: (string | number)[] | null;
  default_value: OptionValue;
  help_text: string | null;
  is_multiple: boolean;
  is_required: boolean;
  is_secret: boolean;
  /** Of a secret, whose value never comes here: whether it has one. */
  is_set?: boolean;
}

export type OptionValue = string | number | boolean | (string | number)[] | null;

/** A user class as its `json()` says it: these keys, and what else a locustfile adds. */
export interface UserClass {
  tasks?: string[];
  [attribute: string]: unknown;
}

export interface ExtendedColumn {
  key: string;
  title: string;
  round?: number;
}

export interface TemplateArgs {
  available_shape_classes: string[];
  available_user_classes: string[] | null;
  available_user_tasks: Record<string, string[]> | null;
  extra_options: Record<string, ExtraOption>;
  hide_common_options: boolean | null;
  host: string | null;
  is_distributed: boolean;
  is_host_required: boolean;
  locustfile: string;
  missing_host_warning: boolean;
  num_users: number | null;
  override_host_warning: boolean;
  percentiles_to_chart: number[];
  percentiles_to_statistics: number[];
  profile: string | null;
  run_time: number | null;
  shape_use_common_options: boolean | null;
  show_userclass_picker: boolean;
  spawn_rate: number | null;
  state: string;
  stats_history_enabled: boolean;
  user_count: number;
  users: Record<string, UserClass> | null;
  version: string;
  worker_count: number;
  all_profiles?: string[];
  extended_tabs?: { key: string; title: string }[];
  extended_tables?: { key: string; structure: ExtendedColumn[] }[];
  extended_csv_files?: { href: string; title: string }[];
}

const NOTHING: TemplateArgs = {
  available_shape_classes: ["Default"],
  available_user_classes: null,
  available_user_tasks: null,
  extra_options: {},
  hide_common_options: null,
  host: "",
  is_distributed: false,
  is_host_required: false,
  locustfile: "",
  missing_host_warning: false,
  num_users: null,
  override_host_warning: false,
  percentiles_to_chart: [0.5, 0.95],
  percentiles_to_statistics: [0.95, 0.99],
  profile: null,
  run_time: null,
  shape_use_common_options: null,
  show_userclass_picker: false,
  spawn_rate: null,
  state: "ready",
  stats_history_enabled: false,
  user_count: 0,
  users: null,
  version: "",
  worker_count: 0,
};

/** With a default for what a locustfile's own page may leave out. */
export function completed(found: Partial<TemplateArgs>): TemplateArgs {
  return { ...NOTHING, ...found };
}

/** The arguments in a page as it was served. */
export function readArgs(page: Document): Partial<TemplateArgs> {
  const text = page.getElementById("template-args")?.textContent ?? "";
  try {
    return JSON.parse(text) as Partial<TemplateArgs>;
  } catch {
    return {};
  }
}

export const args = signal<TemplateArgs>(NOTHING);

export function setArgs(found: Partial<TemplateArgs>): void {
  args.value = completed(found);
  // Where scripts that drive Locust's page look; the report's own has other fields.
  Object.assign(window, { templateArgs: args.value });
}

/** Ask the server for the page again, for the arguments of now. `false` where that page is made by other scripts than this one. */
export async function refreshArgs(): Promise<boolean> {
  const answer = await fetch(location.pathname, { redirect: "manual", cache: "no-store" });
  if (!answer.ok) return true;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  if (!page.getElementById("template-args")) return true;
  setArgs(readArgs(page));
  return scripts(page) === scripts(document);
}

function scripts(page: Document): string {
  return [...page.querySelectorAll("script[src]")].map((script) => script.getAttribute("src")).join(" ");
}
