/**
 * The page's line to the server: events come in, and where the line breaks it is opened again until it holds.
 *
 * The browser's own reconnecting gives up on an answer that is no stream (a proxy's 502, the login's 401), so this one does it.
 */

import { type Signal, signal } from "@preact/signals";
import { EVENTS, type Events } from "./events";

export type Connection =
  | "connecting"
  | "open"
  /** Tried again every now and then. */
  | "lost"
  /** The server said that it ends. */
  | "ended"
  /** It asks for a login first. */
  | "refused";

type Listener = (sent: unknown) => void;

/** Whether the server wants a login before it says anything. */
type Asked = () => Promise<boolean>;

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 4000;
/** A server that runs a test says something each second. */
const SILENCE_MS = 12_000;

export class Stream {
  readonly connection: Signal<Connection> = signal("connecting");
  private readonly listeners = new Map<string, Set<Listener>>();
  private source: EventSource | null = null;
  private wait = FIRST_WAIT_MS;
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly address: string,
    private readonly isLoginWanted: Asked,
    /** Whether events must come now: then silence is a broken line, even if nothing said so. */
    private readonly mustSpeak: () => boolean,
  ) {}

  /** Hear an event of this name; the function that is returned ends that. */
  on<Name extends keyof Events>(name: Name, listener: (sent: Events[Name]) => void): () => void {
    const all = this.listeners.get(name) ?? new Set();
    this.listeners.set(name, all);
    all.add(listener as Listener);
    return () => all.delete(listener as Listener);
  }

  open(): void {
    this.close();
    const source = new EventSource(this.address);
    this.source = source;
    source.onopen = () => this.hold();
    source.onerror = () => void this.retry();
    for (const name of EVENTS) source.addEventListener(name, (event) => this.hear(name, String(event.data)));
  }

  /** Try now, and not when the wait is over. */
  again(): void {
    this.wait = FIRST_WAIT_MS;
    this.open();
  }

  /** Hear nothing until `again`. */
  rest(): void {
    this.close();
    this.connection.value = "connecting";
  }

  close(): void {
    clearTimeout(this.timer);
    this.source?.close();
    this.source = null;
  }

  private hold(): void {
    this.wait = FIRST_WAIT_MS;
    this.connection.value = "open";
    this.watch();
  }

  private watch(): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => (this.mustSpeak() ? void this.retry() : this.watch()), SILENCE_MS);
  }

  private hear(name: keyof Events, data: string): void {
    this.watch();
    if (name === "bye") this.connection.value = "ended";
    const sent: unknown = JSON.parse(data);
    for (const listener of this.listeners.get(name) ?? []) listener(sent);
  }

  private async retry(): Promise<void> {
    this.close();
    if (this.connection.value !== "ended") this.connection.value = "lost";
    const wait = this.wait;
    this.wait = Math.min(LONGEST_WAIT_MS, wait * 2);
    if (await this.isLoginWanted()) {
      this.connection.value = "refused";
      return;
    }
    this.timer = setTimeout(() => this.open(), wait);
  }
}

/** A guarded route leads to the login instead of answering. */
export async function isLoginWanted(): Promise<boolean> {
  try {
    const answer = await fetch("./worker-count", { redirect: "manual", cache: "no-store" });
    return answer.type === "opaqueredirect" || answer.status === 401;
  } catch {
    return false;
  }
}
