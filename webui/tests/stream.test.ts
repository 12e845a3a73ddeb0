import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Stream } from "../src/page/data/stream";

/** As the browser's, opened and broken by the test. */
class Line {
  static all: Line[] = [];
  onopen: () => void = () => {};
  onerror: () => void = () => {};
  isClosed = false;
  private readonly listeners = new Map<string, (event: { data: string }) => void>();

  constructor(readonly address: string) {
    Line.all.push(this);
  }

  addEventListener(name: string, listener: (event: { data: string }) => void): void {
    this.listeners.set(name, listener);
  }

  close(): void {
    this.isClosed = true;
  }

  say(name: string, data: unknown): void {
    this.listeners.get(name)?.({ data: JSON.stringify(data) });
  }
}

function last(): Line {
  const line = Line.all.at(-1);
  if (!line) throw new Error("no line was opened");
  return line;
}

beforeEach(() => {
  vi.useFakeTimers();
  Line.all = [];
  vi.stubGlobal("EventSource", Line);
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

describe("the stream", () => {
  it("tells its listeners, until they leave", () => {
    const stream = new Stream(
      "./stream",
      async () => false,
      () => false,
    );
    const heard: unknown[] = [];
    const leave = stream.on("logs", ({ lines }) => heard.push(lines));
    stream.open();
    last().say("logs", { whole: true, lines: ["a"] });
    leave();
    last().say("logs", { whole: true, lines: ["b"] });
    expect(heard).toEqual([["a"]]);
  });

  it("opens again after a break, waiting longer each time, and soon again once it held", async () => {
    const stream = new Stream(
      "./stream",
      async () => false,
      () => false,
    );
    stream.open();
    last().onopen();
    const waits: number[] = [];
    for (let time = 0; time < 5; time += 1) {
      const before = Line.all.length;
      last().onerror();
      await vi.advanceTimersByTimeAsync(0);
      expect(stream.connection.value).toBe("lost");
      let waited = 0;
      while (Line.all.length === before) {
        await vi.advanceTimersByTimeAsync(100);
        waited += 100;
      }
      waits.push(waited);
    }
    expect(waits).toEqual([500, 1000, 2000, 4000, 4000]);
    last().onopen();
    expect(stream.connection.value).toBe("open");
  });

  it("takes silence for a break while a test runs, and only then", async () => {
    let isRunning = false;
    const stream = new Stream(
      "./stream",
      async () => false,
      () => isRunning,
    );
    stream.open();
    last().onopen();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(stream.connection.value).toBe("open");
    isRunning = true;
    await vi.advanceTimersByTimeAsync(13_000);
    expect(Line.all[0]?.isClosed).toBe(true);
    expect(Line.all).toHaveLength(2);
  });

  it("stops asking where a login is wanted", async () => {
    const stream = new Stream(
      "./stream",
      async () => true,
      () => false,
    );
    stream.open();
    last().onerror();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(stream.connection.value).toBe("refused");
    expect(Line.all).toHaveLength(1);
  });

  it("remembers that the server said good-bye", async () => {
    const stream = new Stream(
      "./stream",
      async () => false,
      () => false,
    );
    stream.open();
    last().onopen();
    last().say("bye", {});
    last().onerror();
    await vi.advanceTimersByTimeAsync(0);
    expect(stream.connection.value).toBe("ended");
  });

  it("rests when it is told to, and begins again", async () => {
    const stream = new Stream(
      "./stream",
      async () => false,
      () => true,
    );
    stream.open();
    last().onopen();
    stream.rest();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(Line.all).toHaveLength(1);
    expect(Line.all[0]?.isClosed).toBe(true);
    stream.again();
    last().onopen();
    expect([Line.all.length, stream.connection.value]).toEqual([2, "open"]);
  });
});
