/** The page of the web server: watch, steer and understand a test. */

import "../styles/base.css";
import "../styles/parts.css";
import "../styles/page.css";
import { effect } from "@preact/signals";
import { render } from "preact";
import { startTheme } from "../parts/theme";
import { App } from "./app";
import { args, readArgs, setArgs } from "./data/args";
import type { RunnerState } from "./data/events";
import { store } from "./data/store";
import { goLive } from "./live";
import { Boundary } from "./shell/boundary";
import { listenToKeys } from "./shell/keyboard";

startTheme(undefined);
setArgs(readArgs(document));

// Before the stream has said anything, what stands in the page.
const { state, user_count, host, locustfile, worker_count, is_distributed, version } = args.value;
const known = { user_count, host, locustfile, worker_count, is_distributed, version };
store.state.value = { ...store.state.value, ...known, state: state as RunnerState };

effect(() => {
  const name = args.value.locustfile;
  const { state } = store.state.value;
  document.title = state === "ready" || state === "missing" ? "Locust" : `${state}${name ? ` · ${name}` : ""} · Locust`;
});

const root = document.getElementById("root");
if (root) {
  render(
    <Boundary>
      <App />
    </Boundary>,
    root,
  );
}
listenToKeys();
goLive();
