/** Saying what happens now, and what was said. */

import { signal } from "@preact/signals";
import { timeOfDay } from "../../parts/chart/time";
import { clock } from "../../parts/format";
import { annotate } from "../actions";
import { store } from "../data/store";

const text = signal("");
const refusal = signal<string | null>(null);

async function send(event: Event): Promise<void> {
  event.preventDefault();
  if (!text.value.trim()) return;
  refusal.value = await annotate(text.value);
  if (refusal.value === null) text.value = "";
}

export function Annotate() {
  return (
    <form class="annotate" onSubmit={(event) => void send(event)}>
      <input
        type="text"
        aria-label="What happens now"
        placeholder="Note what happens now"
        maxLength={500}
        value={text.value}
        onInput={(event) => {
          text.value = event.currentTarget.value;
        }}
      />
      <button type="submit" class="quiet" disabled={!text.value.trim()}>
        Annotate
      </button>
      {refusal.value && (
        <p class="bad" role="alert">
          {refusal.value}
        </p>
      )}
    </form>
  );
}

export function Annotations() {
  const now = store.timeline.value;
  const said = store.annotations.value.filter(({ run }) => run === now?.run);
  if (!now || said.length === 0) return null;
  return (
    <ul class="annotations" aria-label="Annotations">
      {said.map(({ time, text }) => (
        <li key={`${time} ${text}`}>
          <span class="moment">
            {timeOfDay(time)}, {clock(Math.max(0, time - now.timeline.start))} in
          </span>
          {text}
        </li>
      ))}
    </ul>
  );
}
