/** The charts tab: the run over time, what it is worth, and the load under the reader's hand. */

import "../../styles/charts.css";
import { useEffect } from "preact/hooks";
import { store } from "../data/store";
import { Annotate, Annotations } from "./annotate";
import { Board } from "./board";
import { EntryPicker } from "./entry-picker";
import { AgainstUsers, Judgement, Limit } from "./panels";
import { Phases } from "./phases";
import { QuantilePick, RunsMenu } from "./runs-menu";
import { data, entry, entryLabel, isCompared } from "./shown";

export function Charts() {
  // A link to an entry's charts has its name in the address.
  const asked = location.search;
  useEffect(() => {
    const query = new URLSearchParams(asked);
    const name = query.get("name");
    if (name !== null) entry.value = { method: query.get("method") ?? "", name };
  }, [asked]);
  return (
    <div class="charts-tab">
      <div class="toolbar">
        <EntryPicker />
        <QuantilePick />
        <Annotate />
        <RunsMenu />
      </div>
      <Limit />
      <section aria-labelledby="over-time-title">
        <h2 id="over-time-title" class="read-out">
          Over time
        </h2>
        {entry.value && data.value && (
          <p class="one">
            <strong>{entryLabel(entry.value)}</strong>
            {isCompared.value ? ", run by run" : ", against all requests"}
          </p>
        )}
        {!data.value && <p class="none">{waiting()}</p>}
        <Board />
        <Annotations />
      </section>
      <Judgement />
      <AgainstUsers />
      <Phases />
    </div>
  );
}

function waiting(): string {
  return store.state.value.run > 0 ? "The first second of the run is not over yet." : "No test has run yet.";
}
