/** What narrows a table. The key `/` leads here. */

import type { Signal } from "@preact/signals";

export function FilterBox({ label, typed }: { label: string; typed: Signal<string> }) {
  return (
    <input
      type="search"
      class="filter"
      placeholder={label}
      aria-label={label}
      title="Words that have to occur; one behind a minus must not"
      spellcheck={false}
      value={typed.value}
      onInput={(event) => {
        typed.value = event.currentTarget.value;
      }}
    />
  );
}
