/** A user class's attributes as text fields, and back. */

import type { UserClass } from "../data/args";

/** What is typed for each attribute, and which tasks are kept. */
export interface ClassDraft {
  tasks: string[];
  attributes: Record<string, string>;
}

export function classDraft({ tasks, ...attributes }: UserClass): ClassDraft {
  const entries = Object.entries(attributes).map(([name, value]) => [name, shown(value)]);
  return { tasks: tasks ?? [], attributes: Object.fromEntries(entries) };
}

function shown(value: unknown): string {
  if (value === null || value === undefined) return "";
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** Only what is other than before, so that what nobody touched keeps its type. Numbers stay numbers. */
export function classChanges(before: UserClass, draft: ClassDraft): Record<string, unknown> {
  const was = classDraft(before);
  const changes: Record<string, unknown> = {};
  for (const [name, typed] of Object.entries(draft.attributes)) {
    if (typed !== was.attributes[name]) changes[name] = read(typed, before[name]);
  }
  if (draft.tasks.join("\n") !== was.tasks.join("\n")) changes.tasks = draft.tasks;
  return changes;
}

function read(typed: string, before: unknown): unknown {
  if (typeof before === "number") return typed.trim() !== "" && Number.isFinite(Number(typed)) ? Number(typed) : typed;
  if (before === null || typeof before === "string") return typed;
  try {
    return JSON.parse(typed);
  } catch {
    return typed;
  }
}
