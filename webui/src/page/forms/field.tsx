/** A labelled control with what has to be said about it. */

import type { ComponentChildren } from "preact";
import { useId } from "preact/hooks";

interface Props {
  label: string;
  /** Below the control, in small. */
  hint?: ComponentChildren;
  warning?: string | undefined;
  children: (ids: { id: string; "aria-describedby"?: string }) => ComponentChildren;
}

export function Field({ label, hint, warning, children }: Props) {
  const id = useId();
  const isSaid = Boolean(hint || warning);
  return (
    <div class="field">
      <label for={id}>{label}</label>
      {children(isSaid ? { id, "aria-describedby": `${id}-said` } : { id })}
      {isSaid && (
        <p id={`${id}-said`} class={warning ? "hint warning" : "hint"}>
          {warning ?? hint}
        </p>
      )}
    </div>
  );
}

export function Alert({ kind, children }: { kind: "bad" | "warning" | "note"; children: ComponentChildren }) {
  return (
    <p class={`alert ${kind}`} role={kind === "bad" ? "alert" : undefined}>
      {children}
    </p>
  );
}
