/** A whole number that a hand can mean: of steps of 1, 2 or 5 times a power of ten. */
export function nice(value: number, precision: number): number {
  const power = 10 ** Math.floor(Math.log10(Math.max(1, precision)));
  const step = [1, 2, 5, 10].map((times) => times * power).find((size) => size >= precision) ?? power;
  return Math.max(0, Math.round(value / step) * step);
}
