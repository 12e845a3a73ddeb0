/** How grave a line of the log is, and which lines were not looked at yet. */

export const LEVELS = ["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"] as const;

export type Level = (typeof LEVELS)[number];

/** As Locust's format has it (`[time] host/LEVEL/logger: …`), or as most others have it: a word of its own near the beginning. */
const FORMAT = /\/(DEBUG|INFO|WARNING|ERROR|CRITICAL)\/|^.{0,80}?\b(DEBUG|INFO|WARNING|ERROR|CRITICAL)\b/;

export function levelOf(line: string): Level {
  const found = FORMAT.exec(line);
  return ((found?.[1] ?? found?.[2]) as Level | undefined) ?? "INFO";
}

export function isAtLeast(line: string, level: Level): boolean {
  return LEVELS.indexOf(levelOf(line)) >= LEVELS.indexOf(level);
}

/** Warnings and worse that came after the line that was the last one when somebody looked. */
export function unseen(lines: string[], lastSeen: string | null): number {
  const from = lastSeen === null ? 0 : lines.lastIndexOf(lastSeen) + 1;
  return lines.slice(from).filter((line) => isAtLeast(line, "WARNING")).length;
}
