/** The page's line to its server, and what is done with what comes. */

import { refreshArgs } from "./data/args";
import { EVENTS, type Events } from "./data/events";
import { isBusy, store } from "./data/store";
import { isLoginWanted, Stream } from "./data/stream";

export const stream = new Stream("./stream", isLoginWanted, () => isBusy(store.state));

export function goLive(): void {
  for (const name of EVENTS) feed(name);
  followServer();
  stream.open();
}

function feed<Name extends keyof Events>(name: Name): void {
  stream.on(name, (sent) => store.take(name, sent));
}

/** A server that comes back may be another process with another locustfile, or a newer version with another page. */
function followServer(): void {
  let wasGone = false;
  stream.connection.subscribe((connection) => {
    if (connection === "lost" || connection === "ended") wasGone = true;
    if (connection !== "open" || !wasGone) return;
    wasGone = false;
    refreshArgs().then(
      (isSamePage) => {
        if (!isSamePage) location.reload();
      },
      () => {
        // Gone again: the next time it comes this is asked again.
        wasGone = true;
      },
    );
  });
}
