/** How the test goes, always in sight. */

import { computed, effect, signal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { clock, percent, rate, whole } from "../../parts/format";
import { secondsLeft } from "../actions";
import { args } from "../data/args";
import type { RunnerState } from "../data/events";
import { isBusy, store } from "../data/store";
import { openTab } from "../tabs";

const now = signal(Date.now() / 1000);

/** A signal of its own: the state comes anew each second, and would begin the second anew. */
const isTicking = computed(() => isBusy(store.state));

effect(() => {
  if (!isTicking.value) return;
  const timer = setInterval(() => {
    now.value = Date.now() / 1000;
  }, 1000);
  return () => clearInterval(timer);
});

const WORDS: Record<RunnerState, string> = {
  ready: "Ready",
  spawning: "Spawning",
  running: "Running",
  cleanup: "Stopping",
  stopping: "Stopping",
  stopped: "Stopped",
  missing: "No runner",
};

export function StateChip() {
  const { state } = store.state.value;
  return (
    <span class={`state ${state}`} role="status" aria-label={`Status: ${WORDS[state]}`}>
      {WORDS[state]}
    </span>
  );
}

/** Said where everybody sees it: the figures are then of the generator, and not of the server. */
export function Limit() {
  const warning = store.lag.value?.warning;
  if (!warning) return null;
  return (
    <a
      class="at-limit"
      href="?tab=charts"
      title={warning}
      onClick={(event) => {
        event.preventDefault();
        openTab("charts");
      }}
    >
      Generator at its limit
    </a>
  );
}

export function Monitor() {
  const { state, worker_count, is_distributed } = store.state.value;
  const host = store.state.value.host ?? args.value.host;
  const isIdle = state === "ready" || state === "missing";
  return (
    <dl class="monitor">
      {host && (
        <Fact name="Host" style="host">
          <span title={host}>{host}</span>
        </Fact>
      )}
      {!isIdle && <Users />}
      {(is_distributed || args.value.is_distributed) && <Fact name="Workers">{whole(worker_count)}</Fact>}
      {!isIdle && <Rates />}
      {!isIdle && <Time />}
    </dl>
  );
}

function Fact({ name, style, children }: { name: string; style?: string; children: ComponentChildren }) {
  return (
    <div class={style}>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

function Users() {
  const { user_count, target_user_count, state } = store.state.value;
  const isMoving = state === "spawning" && target_user_count !== user_count;
  return (
    <Fact name="Users">
      {whole(user_count)}
      {isMoving && <small> of {whole(target_user_count)}</small>}
    </Fact>
  );
}

/** While the test runs, those of the last seconds; after it, those of the whole of it. */
function Rates() {
  const total = store.total.value;
  const isOn = isBusy(store.state);
  const rps = isOn ? (total?.current_rps ?? 0) : (total?.total_rps ?? 0);
  const failed = total && total.num_requests > 0 ? total.num_failures / total.num_requests : 0;
  return (
    <>
      <Fact name={isOn ? "RPS" : "RPS, average"}>{rate(rps)}</Fact>
      <Fact name="Failures" style={failed > 0 ? "bad" : ""}>
        {percent(failed)}
      </Fact>
    </>
  );
}

function Time() {
  const { started, ended, iterations } = store.state.value;
  if (started === null) return null;
  if (!isBusy(store.state)) return <Fact name="Ran for">{ended ? clock(ended - started) : "–"}</Fact>;
  const left = secondsLeft(now.value);
  if (left !== null) return <Fact name="Time left">{clock(left)}</Fact>;
  if (iterations) {
    return (
      <Fact name="Iterations">
        {whole(iterations[0])} <small>of {whole(iterations[1])}</small>
      </Fact>
    );
  }
  return <Fact name="Running for">{clock(Math.max(0, now.value + store.ahead.value - started))}</Fact>;
}
