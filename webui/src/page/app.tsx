/** The page: the form while no test has run, then the tabs. */

import type { ComponentChildren } from "preact";
import { Charts } from "./charts";
import { args } from "./data/args";
import { store } from "./data/store";
import { EditForm } from "./forms/edit-form";
import { TestForm } from "./forms/test-form";
import logo from "./logo.svg";
import { Banner } from "./shell/banner";
import { Controls } from "./shell/controls";
import { Dialog } from "./shell/dialog";
import { closeDialog, dialog } from "./shell/dialogs";
import { About, Help } from "./shell/help";
import { Limit, Monitor, StateChip } from "./shell/monitor";
import { Reset } from "./shell/reset";
import { TabBar } from "./shell/tab-bar";
import { tab, tabs } from "./tabs";
import { Downloads } from "./tabs/downloads";
import { Exceptions } from "./tabs/exceptions";
import { Extended } from "./tabs/extended";
import { Failures } from "./tabs/failures";
import { Logs } from "./tabs/logs";
import { Ratios } from "./tabs/ratios";
import { Statistics } from "./tabs/statistics";
import { Workers } from "./tabs/workers";

export function App() {
  const isIdle = store.state.value.state === "ready" || store.state.value.state === "missing";
  return (
    <div class="app">
      <header class="top">
        <a class="brand" href="./" title={args.value.locustfile}>
          <img src={logo} alt="Locust" width="28" height="28" />
          <span class="locustfile">{args.value.locustfile}</span>
        </a>
        <StateChip />
        <Limit />
        <Monitor />
        <Controls />
      </header>
      <Banner />
      {isIdle ? <Start /> : <Watch />}
      <Dialogs />
    </div>
  );
}

function Start() {
  return (
    <main class="start">
      <section class="card">
        <h1>Start new load test</h1>
        <TestForm />
      </section>
      <footer>
        <About />
      </footer>
    </main>
  );
}

function Watch() {
  const open = tab.value;
  return (
    <main class="watch">
      <h1 class="read-out">Load test{args.value.locustfile && ` of ${args.value.locustfile}`}</h1>
      <TabBar />
      <div class="panel" id="panel" role="tabpanel" aria-labelledby={`tab-${open}`}>
        <Panel open={open} />
      </div>
    </main>
  );
}

const PANELS: Record<string, () => ComponentChildren> = {
  stats: () => <Statistics />,
  charts: () => <Charts />,
  failures: () => <Failures />,
  exceptions: () => <Exceptions />,
  ratios: () => <Ratios />,
  reports: () => <Downloads />,
  logs: () => <Logs />,
  workers: () => <Workers />,
};

function Panel({ open }: { open: string }) {
  const built = PANELS[open];
  if (built) return <>{built()}</>;
  const title = tabs.value.find(({ key }) => key === open)?.title ?? open;
  return <Extended key={open} tab={open} title={title} />;
}

function Dialogs() {
  switch (dialog.value) {
    case "edit":
      return (
        <Dialog title="Edit running load test" onClose={closeDialog}>
          <EditForm onDone={closeDialog} />
        </Dialog>
      );
    case "new":
      return (
        <Dialog title="Start new load test" onClose={closeDialog}>
          <TestForm onStarted={closeDialog} />
        </Dialog>
      );
    case "reset":
      return (
        <Dialog title="Reset the statistics?" onClose={closeDialog}>
          <Reset onDone={closeDialog} />
        </Dialog>
      );
    case "help":
      return (
        <Dialog title="Keys" onClose={closeDialog}>
          <Help />
        </Dialog>
      );
    case "about":
      return (
        <Dialog title="About" onClose={closeDialog}>
          <About />
        </Dialog>
      );
    default:
      return null;
  }
}
