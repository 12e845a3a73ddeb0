/** What must not be read over a shoulder, and a button to read it oneself. */

import { useState } from "preact/hooks";

interface Props {
  id: string;
  "aria-describedby"?: string;
  name: string;
  label: string;
  required: boolean;
  autocomplete: "off" | "current-password";
  placeholder?: string;
  /** Where the form keeps what is typed. */
  value?: string;
  defaultValue?: string;
  onType?: (typed: string) => void;
}

export function SecretInput({ label, onType, ...rest }: Props) {
  const [isOpen, setOpen] = useState(false);
  // Types of inputs differ by what else they may have; this has nothing that only one of the two may.
  const type = (isOpen ? "text" : "password") as "password";
  return (
    <span class="secret">
      <input {...rest} type={type} onInput={(event) => onType?.(event.currentTarget.value)} />
      <button
        type="button"
        class="quiet"
        aria-label={`${isOpen ? "Hide" : "Show"} ${label}`}
        onClick={() => setOpen(!isOpen)}
      >
        {isOpen ? "Hide" : "Show"}
      </button>
    </span>
  );
}
