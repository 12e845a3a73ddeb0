/** Numbers, times and rates as people read them. Tables align on them, so a kind of number has one width of decimals. */

const GROUPED = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });

const HUNDREDTHS = new Intl.NumberFormat("en", { minimumFractionDigits: 2, maximumFractionDigits: 2 });

/** 12345 → `12,345`. */
export function whole(value: number): string {
  return GROUPED.format(value);
}

/** For the marks of an axis: nothing for what would need decimals and is large. */
export function wholeOrLess(value: number): string {
  return Number.isInteger(value) ? whole(value) : value < 10 ? String(Number(value.toFixed(2))) : "";
}

/** Milliseconds with three significant digits, which is what the histograms hold: `0.42`, `12.3`, `1,230`. */
export function milliseconds(value: number): string {
  if (value >= 100) return whole(value);
  if (value >= 10) return value.toFixed(1);
  return value === 0 ? "0" : value.toFixed(2);
}

/** Milliseconds for a column of many: whole ones from ten up, tenths below. */
export function coarse(value: number): string {
  return value >= 9.95 || value === 0 ? whole(value) : value.toFixed(1);
}

/** Milliseconds with a unit that suits the size: `420 µs`, `12.3 ms`, `1.23 s`, `2 min 5 s`. */
export function duration(value: number): string {
  if (value === 0) return "0 ms";
  if (value < 1) return `${Math.round(value * 1000)} µs`;
  if (value < 1000) return `${trimmed(value)} ms`;
  if (value < 60_000) return `${trimmed(value / 1000)} s`;
  return clock(value / 1000);
}

/** How far something is ahead, in seconds, with its sign: `+420 µs`, `−12 s`. */
export function apart(seconds: number): string {
  const sign = seconds < 0 ? "−" : "+";
  return sign + duration(Math.abs(seconds) * 1000);
}

/** Seconds in the two largest units: `45 s`, `2 min 5 s`, `3 h 20 min`. */
export function clock(seconds: number): string {
  const total = Math.round(seconds);
  const parts: [number, string][] = [
    [Math.floor(total / 86_400), "d"],
    [Math.floor(total / 3600) % 24, "h"],
    [Math.floor(total / 60) % 60, "min"],
    [total % 60, "s"],
  ];
  const first = parts.findIndex(([count]) => count > 0);
  if (first < 0) return "0 s";
  const shown = parts.slice(first, first + 2).filter(([count]) => count > 0);
  return shown.map(([count, unit]) => `${count} ${unit}`).join(" ");
}

/** Per second: two decimals below a hundred, then whole. */
export function rate(value: number): string {
  return value < 100 ? value.toFixed(2) : whole(value);
}

/** Per second, for a column of many: always two decimals. */
export function evenRate(value: number): string {
  return HUNDREDTHS.format(value);
}

/** A share of one: `0.0123` → `1.23 %`. What is not zero never reads as zero. */
export function percent(share: number): string {
  if (share === 0) return "0 %";
  const value = share * 100;
  if (value < 0.01) return "< 0.01 %";
  return `${value < 10 ? trimmed(Number(value.toFixed(2))) : value.toFixed(1)} %`;
}

/** 12345678 → `12.3 MB`. */
export function bytes(value: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let size = value;
  let unit = 0;
  while (size >= 1000 && unit < units.length - 1) {
    size /= 1000;
    unit += 1;
  }
  return `${unit === 0 ? Math.round(size) : trimmed(size)} ${units[unit]}`;
}

/** Three significant digits, no zeros at the end. */
function trimmed(value: number): string {
  return value >= 100 ? whole(value) : String(Number(value.toPrecision(3)));
}
