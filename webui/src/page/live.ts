/** The page's line to its server, and what is done with what comes. */

import { refreshArgs } from "./data/args";
import { EVENTS, type Events } from "./data/events";
import { isBusy, store } from "./data/store";
import { isLoginWanted, Stream } from "./data/stream";

export const stream = new Stream("./stream", isLoginWanted, () => isBusy(store.state));

export function goLive(): void {
  for (const name of EVENTS) feed(name);
  followServer();
  restWhileHidden();
  stream.open();
}

function feed<Name extends keyof Events>(name: Name): void {
  stream.on(name, (sent) => store.take(name, sent));
}

/** A server that comes back may be another process with another locustfile, or a newer version with another page. */
function followServer(): void {
  let wasOpen = false;
  let wasGone = false;
  stream.connection.subscribe((connection) => {
    if (connection !== "open") wasGone = wasOpen;
    else wasOpen = true;
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

const HIDDEN_MS = 60_000;

/** A browser holds six connections to a server: pages that nobody looks at would keep the one in front from steering. */
function restWhileHidden(): void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let isResting = false;
  document.addEventListener("visibilitychange", () => {
    clearTimeout(timer);
    if (document.hidden) {
      timer = setTimeout(() => {
        isResting = true;
        stream.rest();
      }, HIDDEN_MS);
    } else if (isResting) {
      isResting = false;
      stream.again();
    }
  });
}
