/** Choosing one of many entries by typing some of its name. */

import { signal } from "@preact/signals";
import { useRef } from "preact/hooks";
import { matcher } from "../../parts/filter";
import { entryText } from "../../report/columns";
import { rowKey } from "../data/rows";
import { store } from "../data/store";
import { type EntryName, entry, entryLabel } from "./shown";

/** As many as one looks through; more letters find the others. */
const MOST = 50;

const COMBOBOX = {
  role: "combobox",
  list: undefined,
  "aria-controls": "entries-found",
  "aria-autocomplete": "list",
} as const;

const typed = signal("");
const isOpen = signal(false);
const place = signal(0);

function found(): { shown: EntryName[]; more: number } {
  const matches = matcher(typed.value);
  const all = store.rows.value.filter((row) => matches(entryText(row)));
  return { shown: all.slice(0, MOST), more: Math.max(0, all.length - MOST) };
}

function choose(chosen: EntryName | null): void {
  entry.value = chosen && { method: chosen.method, name: chosen.name };
  typed.value = "";
  isOpen.value = false;
}

export function EntryPicker() {
  const input = useRef<HTMLInputElement>(null);
  const { shown, more } = isOpen.value ? found() : { shown: [], more: 0 };
  const chosen = entry.value;
  const key = (event: KeyboardEvent) => {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      isOpen.value = true;
      const step = event.key === "ArrowDown" ? 1 : -1;
      place.value = Math.min(Math.max(0, place.value + step), Math.max(0, found().shown.length - 1));
    } else if (event.key === "Enter" && isOpen.value) choose(shown[place.value] ?? chosen);
    else if (event.key === "Escape") isOpen.value = false;
    else return;
    event.preventDefault();
  };
  const aria = {
    "aria-expanded": isOpen.value,
    "aria-activedescendant": isOpen.value && shown[place.value] ? `entry-found-${place.value}` : undefined,
  };
  return (
    <div class="picker">
      <input
        ref={input}
        type="search"
        class="filter"
        {...COMBOBOX}
        {...aria}
        aria-label="Entry to show"
        placeholder={chosen ? entryLabel(chosen) : "All requests: find an entry"}
        spellcheck={false}
        autocomplete="off"
        value={typed.value}
        onFocus={() => {
          isOpen.value = true;
          place.value = 0;
        }}
        onBlur={() => {
          isOpen.value = false;
        }}
        onInput={(event) => {
          typed.value = event.currentTarget.value;
          isOpen.value = true;
          place.value = 0;
        }}
        onKeyDown={key}
      />
      {chosen && (
        <button type="button" class="quiet" onClick={() => choose(null)}>
          Show all requests
        </button>
      )}
      <div class="found" id="entries-found" role="listbox" aria-label="Entries" hidden={!isOpen.value}>
        {shown.map((row, index) => (
          <div
            key={rowKey(row)}
            id={`entry-found-${index}`}
            role="option"
            tabIndex={-1}
            aria-selected={index === place.value}
            ref={(element) => {
              if (index === place.value) element?.scrollIntoView({ block: "nearest" });
            }}
            // Before the field loses the focus, and with it the list.
            onPointerDown={(event) => {
              event.preventDefault();
              choose(row);
            }}
          >
            <span class="method">{row.method}</span> {row.name}
          </div>
        ))}
        {shown.length === 0 && <p class="none">No entry has this in its name.</p>}
        {more > 0 && <p class="none">{more} more: type more of the name.</p>}
      </div>
    </div>
  );
}
