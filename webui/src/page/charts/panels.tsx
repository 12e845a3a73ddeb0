/** What there is to say of the run: whether the generator is the limit, the knee, the checks, and a few sentences. */

import { computed, effect } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { Concurrency, FEWEST_POINTS, words as kneeWords } from "../../parts/chart/concurrency";
import { checks, words } from "../../parts/judgement";
import { isActive, store } from "../data/store";
import { isSaturatedNow } from "./curves";

const sentence = computed<string | null>(() => {
  const now = store.timeline.value;
  if (now && isActive(store.state) && isSaturatedNow(now.timeline)) {
    return (
      "The generator is the limit right now: finished responses wait for the locustfile's own code. The response times are right, " +
      "but less load is made than these users would make. Make the tasks cheaper, or spread the users over more processes."
    );
  }
  return store.lag.value?.warning ?? null;
});

export function Limit() {
  const text = sentence.value;
  return (
    <div role="status">
      {text && (
        <p class="limit">
          <strong class="tag">Caution</strong> {text}
        </p>
      )}
    </div>
  );
}

/** An element of the parts' own, made anew when what it shows is other than before. */
function Made({ of, make }: { of: unknown; make: () => HTMLElement | null }) {
  const place = useRef<HTMLDivElement>(null);
  const shown = JSON.stringify(of);
  useEffect(() => {
    const element = make();
    place.current?.replaceChildren(...(element ? [element] : []));
  }, [shown]);
  return <div ref={place} />;
}

export function Judgement() {
  const [judged, said] = [store.checks.value, store.words.value];
  if (judged.length === 0 && said.length === 0) return null;
  return (
    <section aria-labelledby="judgement-title">
      <h2 id="judgement-title">{isActive(store.state) ? "The run so far" : "The run"}</h2>
      <Made of={said} make={() => words(said)} />
      <Made of={judged} make={() => checks(judged)} />
    </section>
  );
}

let concurrency: Concurrency | null = null;

export function AgainstUsers() {
  const knee = store.knee.value;
  const isDrawn = knee !== null && knee.points.length >= FEWEST_POINTS;
  if (!knee) return null;
  return (
    <section aria-labelledby="concurrency-title" id="concurrency">
      <h2 id="concurrency-title">Against concurrency</h2>
      <p class="note">{kneeWords(knee)}</p>
      {isDrawn && <KneeChart />}
    </section>
  );
}

function KneeChart() {
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => {
    concurrency ??= new Concurrency();
    const chart = concurrency;
    place.current?.append(chart.plot.element);
    const end = effect(() => {
      if (store.knee.value) chart.show(store.knee.value);
    });
    return () => {
      end();
      chart.plot.element.remove();
    };
  }, []);
  return <div ref={place} />;
}
