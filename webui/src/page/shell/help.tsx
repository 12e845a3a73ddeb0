/** The keys, and what this is. */

import { args } from "../data/args";
import { tabs } from "../tabs";
import { KEYS } from "./keyboard";

export function Help() {
  return (
    <>
      <dl class="keys">
        {KEYS.map(({ key, does }) => (
          <div key={key}>
            <dt>
              <kbd>{key}</kbd>
            </dt>
            <dd>{does}</dd>
          </div>
        ))}
        <div>
          <dt>
            <kbd>1</kbd>–<kbd>{Math.min(9, tabs.value.length)}</kbd>
          </dt>
          <dd>Open a tab</dd>
        </div>
        <div>
          <dt>
            <kbd>Esc</kbd>
          </dt>
          <dd>Close a dialog</dd>
        </div>
      </dl>
      <About />
    </>
  );
}

export function About() {
  const { version, locustfile } = args.value;
  const [speaks, own] = version.split("+gregaria.");
  return (
    <p class="note">
      gregaria {own ?? ""}
      {speaks && `, which runs what Locust ${speaks} runs`}: locustfiles on a Rust engine, under the MIT licence
      {locustfile && `; this process has ${locustfile}`}. Locust is the work of its authors, of whom this is no part. A
      response time is the server's: it ends with the last byte.
    </p>
  );
}
