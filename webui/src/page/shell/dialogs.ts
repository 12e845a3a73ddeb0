/** Which dialog is open. One at a time, besides those of a form's own. */

import { signal } from "@preact/signals";
import { refreshArgs } from "../data/args";

export type DialogName = "edit" | "new" | "reset" | "help" | "about";

export const dialog = signal<DialogName | null>(null);

/** The forms begin with the arguments of now: another reader, or a script, may have changed them. */
export async function openDialog(name: DialogName): Promise<void> {
  if (name === "edit" || name === "new") {
    // Without an answer the form opens with what was known.
    await refreshArgs().catch(() => true);
  }
  dialog.value = name;
}

export function closeDialog(): void {
  dialog.value = null;
}
