/** The buttons that change the test, and when each can be used. */

import { computed, signal } from "@preact/signals";
import { onThemeChange, theme, toggleTheme } from "../../parts/theme";
import { pending, stop } from "../actions";
import { args } from "../data/args";
import { store } from "../data/store";
import { stream } from "../live";
import { openDialog } from "./dialogs";
import { Menu } from "./menu";
import { isNarrow } from "./narrow";

const shade = signal(theme());
onThemeChange(() => {
  shade.value = theme();
});

/** What can be done now. */
export const can = computed(() => {
  const { state, shape } = store.state.value;
  const isThere = stream.connection.value === "open" && pending.value === null;
  const isRunning = state === "spawning" || state === "running";
  const isLoadFixed = shape !== null || args.value.hide_common_options === true;
  return {
    edit: isThere && isRunning && !isLoadFixed,
    stop: isThere && isRunning,
    reset: isThere && state !== "ready" && state !== "missing",
    new: isThere && state === "stopped",
  };
});

export function Controls() {
  const { state } = store.state.value;
  const rest = (
    <>
      {state !== "ready" && state !== "missing" && (
        <button type="button" class="quiet" disabled={!can.value.reset} onClick={() => void openDialog("reset")}>
          Reset
        </button>
      )}
      <button type="button" class="quiet" onClick={toggleTheme} aria-label={`Switch to the ${other()} theme`}>
        {other() === "dark" ? "Dark" : "Light"}
      </button>
      <button type="button" class="quiet" aria-label="Keys and help" onClick={() => void openDialog("help")}>
        {isNarrow.value ? "Help" : "?"}
      </button>
      {isNarrow.value && (
        <button type="button" class="quiet" onClick={() => void openDialog("about")}>
          About
        </button>
      )}
    </>
  );
  return (
    <div class="controls">
      <Main />
      {isNarrow.value ? (
        <Menu label="More" sign="⋯">
          <div class="stacked">{rest}</div>
        </Menu>
      ) : (
        rest
      )}
    </div>
  );
}

function other(): "dark" | "light" {
  return shade.value === "dark" ? "light" : "dark";
}

function Main() {
  const { state, shape } = store.state.value;
  if (state === "stopped") {
    return (
      <button type="button" class="primary" disabled={!can.value.new} onClick={() => void openDialog("new")}>
        New
      </button>
    );
  }
  if (state === "ready" || state === "missing") return null;
  const isEnding = state === "stopping" || state === "cleanup" || pending.value === "stop";
  return (
    <>
      <button
        type="button"
        class="quiet"
        disabled={!can.value.edit}
        title={shape ? `The shape ${shape} says how many users run` : undefined}
        onClick={() => void openDialog("edit")}
      >
        Edit
      </button>
      <button type="button" class="stop" disabled={!can.value.stop} onClick={() => void stop()}>
        {isEnding ? "Stopping…" : "Stop"}
      </button>
    </>
  );
}
