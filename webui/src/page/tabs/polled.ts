/** JSON that the stream does not bring: asked for when its tab opens, and again while a test is active. */

import { useEffect, useState } from "preact/hooks";
import { isBusy, store } from "../data/store";

export function usePolled<Answer>(address: string, everyMs: number): Answer | null {
  const [answer, setAnswer] = useState<Answer | null>(null);
  const isOn = isBusy(store.state);
  const { run, state } = store.state.value;
  useEffect(() => {
    let isOpen = true;
    const ask = async () => {
      const found = await asked<Answer>(address);
      if (isOpen && found) setAnswer(found);
    };
    void ask();
    const timer = isOn ? setInterval(() => void ask(), everyMs) : undefined;
    return () => {
      isOpen = false;
      clearInterval(timer);
    };
  }, [address, everyMs, isOn, run, state]);
  return answer;
}

/** `null` where the server is gone or wants a login, which the page says elsewhere. */
async function asked<Answer>(address: string): Promise<Answer | null> {
  try {
    const answer = await fetch(address, { redirect: "manual" });
    return answer.ok ? ((await answer.json()) as Answer) : null;
  } catch {
    return null;
  }
}
