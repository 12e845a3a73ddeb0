/** What the reader has to be told: the server is gone, or back, or did not do what he asked for. */

import { signal } from "@preact/signals";
import { notice } from "../actions";
import { stream } from "../live";

/** Said for a while after the line was mended. */
const isBack = signal(false);
const SAID_MS = 4000;

let wasGone = false;
stream.connection.subscribe((connection) => {
  if (connection === "open" && wasGone) {
    isBack.value = true;
    setTimeout(() => {
      isBack.value = false;
    }, SAID_MS);
  }
  wasGone = connection === "lost" || connection === "ended" || (wasGone && connection !== "open");
});

export function Banner() {
  return (
    <div class="banners">
      <Line />
      <Notice />
    </div>
  );
}

function Line() {
  const connection = stream.connection.value;
  if (connection === "refused") {
    const next = encodeURIComponent(location.pathname + location.search);
    return (
      <p class="banner warning" role="alert">
        Your login has ended. <a href={`./login?next=${next}`}>Log in again</a>
      </p>
    );
  }
  if (connection === "lost" || connection === "ended") {
    return (
      <p class="banner warning" role="alert">
        {connection === "ended"
          ? "Locust has ended. What you see is the last it said; when it is started again, this page goes on."
          : "Locust does not answer. What you see is the last it said; this page tries again by itself."}{" "}
        <button type="button" class="quiet" onClick={() => stream.again()}>
          Try now
        </button>
      </p>
    );
  }
  return (
    <p class={isBack.value ? "banner good" : "read-out"} role="status">
      {isBack.value ? "Locust is back." : ""}
    </p>
  );
}

function Notice() {
  const said = notice.value;
  if (!said) return null;
  return (
    <p class={`banner ${said.kind}`} role={said.kind === "bad" ? "alert" : "status"}>
      {said.text}{" "}
      <button
        type="button"
        class="icon"
        aria-label="Close"
        onClick={() => {
          notice.value = null;
        }}
      >
        ✕
      </button>
    </p>
  );
}
