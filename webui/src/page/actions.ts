/** What the reader does to the test, as Locust's API takes it. A refusal is a sentence, and the same for all of them. */

import { signal } from "@preact/signals";
import { store } from "./data/store";

export interface Notice {
  kind: "bad" | "good";
  text: string;
}

/** The last thing the reader has to be told about what he did. */
export const notice = signal<Notice | null>(null);

/** Which action the server has not answered yet. */
export const pending = signal<"swarm" | "stop" | "reset" | null>(null);

/** Name and value, in the order of the form; a name may come again. */
export type Fields = [name: string, value: string][];

type Answer = { success: boolean; message: string };

/** Start a test, or change the one that runs. Gives the server's reason if it refuses, else `null`. */
export async function swarm(fields: Fields): Promise<string | null> {
  return doing("swarm", async () => {
    const answer = (await (await post("./swarm", new URLSearchParams(fields))).json()) as Answer;
    return answer.success ? null : answer.message;
  });
}

/** Other users and another rate for the test that runs. Its end stays where it was: without a run time the server would forget it. */
export function changeLoad(users: number, spawnRate: number): Promise<string | null> {
  return swarm([["user_count", String(users)], ["spawn_rate", String(spawnRate)], ...remainingRunTime()]);
}

export function remainingRunTime(): Fields {
  const left = secondsLeft();
  return left === null ? [] : [["run_time", `${Math.max(1, Math.ceil(left))}s`]];
}

/** Seconds until the run time is over, by the server's clock; `null` without one. */
export function secondsLeft(now: number = Date.now() / 1000): number | null {
  const { ends, started, run_time_s } = store.state.value;
  const end = ends === undefined ? (started !== null && run_time_s ? started + run_time_s : null) : ends;
  return end === null ? null : Math.max(0, end - now - store.ahead.value);
}

/** Note what happens now. Gives the server's reason if it refuses, else `null`. */
export async function annotate(text: string): Promise<string | null> {
  return said(async () => {
    const answer = (await (await post("./annotate", new URLSearchParams({ text }))).json()) as Answer;
    return answer.success ? null : answer.message;
  });
}

export async function stop(): Promise<void> {
  await told("stop", async () => {
    const answer = (await (await post("./stop")).json()) as Answer;
    return answer.success ? null : answer.message;
  });
}

export async function reset(): Promise<void> {
  await told("reset", async () => {
    await post("./stats/reset");
    return null;
  });
}

/** Change a user class. Gives the server's reason if it refuses, else `null`. */
export async function changeClass(name: string, attributes: Record<string, unknown>): Promise<string | null> {
  return said(async () => {
    await post("./user", JSON.stringify({ user_class_name: name, ...attributes }), "application/json");
    return null;
  });
}

type Deed = () => Promise<string | null>;

async function told(what: "stop" | "reset", deed: Deed): Promise<void> {
  const refusal = await doing(what, deed);
  notice.value = refusal === null ? null : { kind: "bad", text: refusal };
}

async function doing(what: "swarm" | "stop" | "reset", deed: Deed): Promise<string | null> {
  pending.value = what;
  try {
    return await said(deed);
  } finally {
    pending.value = null;
  }
}

async function said(deed: Deed): Promise<string | null> {
  try {
    return await deed();
  } catch (error) {
    return error instanceof Refused ? error.message : "Locust does not answer. Is it still running?";
  }
}

class Refused extends Error {}

/** A form says by itself what kind of body it is. */
async function post(address: string, body: URLSearchParams | string = "", kind?: string): Promise<Response> {
  const headers: HeadersInit = kind ? { "Content-Type": kind } : {};
  const answer = await fetch(address, { method: "POST", redirect: "manual", body, headers });
  if (answer.type === "opaqueredirect") throw new Refused("Your login has ended: log in again, then repeat this.");
  if (!answer.ok) throw new Refused(await reason(answer));
  return answer;
}

/** The server's sentence, which is text for people even where it is sent as a page. */
async function reason(answer: Response): Promise<string> {
  const text = await answer.text();
  const shown = text.trimStart().startsWith("<")
    ? (new DOMParser().parseFromString(text, "text/html").body.textContent ?? "")
    : text;
  return shown.trim() || `The server refused this (${answer.status}).`;
}
