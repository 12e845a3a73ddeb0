/** What stands in a form of a test, from the server's arguments to the fields that are posted. */

import type { Fields } from "../actions";
import type { ExtraOption, OptionValue, TemplateArgs } from "../data/args";

export interface Draft {
  users: string;
  rate: string;
  host: string;
  runTime: string;
  profile: string;
  shape: string;
  classes: string[];
  /** By dest name. A secret that nobody touched is `null`: it is not posted. */
  extra: Record<string, OptionValue>;
}

export const NO_SHAPE = "Default";

/** What was entered before in this page goes before what the process was started with. */
const entered: Record<string, OptionValue> = {};

export function remember({ extra }: Draft, options: Record<string, ExtraOption>): void {
  for (const [name, value] of Object.entries(extra)) if (!options[name]?.is_secret) entered[name] = value;
}

export function draftOf(args: TemplateArgs): Draft {
  const isHidden = args.hide_common_options === true;
  return {
    users: String(isHidden ? 0 : args.user_count || args.num_users || 1),
    rate: String(isHidden ? 0 : args.spawn_rate || 1),
    host: args.host ?? "",
    runTime: args.run_time ? timeSpan(args.run_time) : "",
    profile: args.profile ?? "",
    shape: NO_SHAPE,
    classes: args.available_user_classes ?? [],
    extra: Object.fromEntries(
      Object.entries(args.extra_options).map(([name, option]) => [name, initial(name, option)]),
    ),
  };
}

function initial(name: string, option: ExtraOption): OptionValue {
  if (option.is_secret) return null;
  return entered[name] ?? option.default_value ?? (option.is_multiple ? [] : "");
}

/** Seconds as Locust reads them: 5400 → `1h30m`. */
export function timeSpan(seconds: number): string {
  const [hours, minutes, rest] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  return `${hours ? `${hours}h` : ""}${minutes ? `${minutes}m` : ""}${rest || seconds === 0 ? `${rest}s` : ""}`;
}

/** Whether users and rate are not for the reader to say. */
export function isShaped(args: TemplateArgs, { shape }: Pick<Draft, "shape">): boolean {
  if (args.show_userclass_picker && shape !== NO_SHAPE) return !args.shape_use_common_options;
  return args.hide_common_options === true;
}

/** The fields of a start, in the order of the form. */
export function startFields(args: TemplateArgs, draft: Draft): Fields {
  const fields: Fields = [];
  if (args.show_userclass_picker) {
    for (const name of draft.classes) fields.push(["user_classes", name]);
    fields.push(["shape_class", draft.shape]);
  }
  if (!isShaped(args, draft)) fields.push(["user_count", draft.users], ["spawn_rate", draft.rate]);
  fields.push(["host", draft.host], ["run_time", draft.runTime], ["profile", draft.profile]);
  return fields.concat(extraFields(args, draft));
}

/** Of a change to the test that runs. */
export function editFields(args: TemplateArgs, draft: Draft): Fields {
  const fields: Fields = [
    ["user_count", draft.users],
    ["spawn_rate", draft.rate],
  ];
  if (draft.runTime.trim()) fields.push(["run_time", draft.runTime]);
  return fields.concat(extraFields(args, draft));
}

/** Under their exact dest names, whatever characters they have. */
function extraFields({ extra_options }: TemplateArgs, { extra }: Draft): Fields {
  return Object.keys(extra_options).flatMap((name): Fields => {
    const value = extra[name] ?? null;
    if (value === null) return [];
    if (Array.isArray(value)) return value.map((each) => [name, String(each)]);
    return [[name, String(value)]];
  });
}

/** `--some_option` as people read it: `Some option`. */
export function label(name: string): string {
  const words = name.replaceAll(/[_-]+/g, " ").trim();
  return words ? `${words[0]?.toUpperCase()}${words.slice(1)}` : name;
}

/** Whether what is typed as a host can be one. */
export function looksLikeHost(host: string): boolean {
  return host.trim() === "" || /^[a-z][a-z0-9+.-]*:\/\/\S+$/i.test(host.trim());
}

/** Only what can be a whole number, or with `point` one with a decimal point. */
export function digits(typed: string, point = false): string {
  const kept = typed.replaceAll(point ? /[^0-9.]/g : /[^0-9]/g, "");
  const [before, ...after] = kept.split(".");
  return after.length > 0 ? `${before}.${after.join("")}` : kept;
}
