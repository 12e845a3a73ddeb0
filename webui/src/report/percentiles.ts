/** The scale of HDR plots: a percentile lies at the number of nines in it. */

/** 0 → 0, 0.9 → 1, 0.99 → 2, 0.999 → 3. */
export function placeOf(quantile: number): number {
  return -Math.log10(Math.max(1e-9, 1 - quantile));
}

/** The percentile at a place, with as many digits as tell it from the next: 0.3 → `50`, 3 → `99.9`. */
export function percentileAt(place: number): string {
  const percentile = 100 * (1 - 10 ** -place);
  const digits = Math.max(0, Math.ceil(place - 2 - 1e-9)) + (Number.isInteger(place) ? 0 : 1);
  return String(Number(percentile.toFixed(Math.min(7, digits))));
}
