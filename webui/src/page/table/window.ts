/** Which rows of a long table are in sight, where each may have a height of its own that is known once it was drawn. */

export interface InSight {
  /** The first row to draw, and the one behind the last. */
  from: number;
  to: number;
  /** Pixels of the rows before and after. */
  above: number;
  below: number;
}

/** Rows beyond the edges, so that scrolling meets rows that are there. */
const SPARE_PX = 300;

export function inSight(count: number, heightOf: (index: number) => number, scrolled: number, room: number): InSight {
  let top = 0;
  let from = 0;
  while (from < count && top + heightOf(from) < scrolled - SPARE_PX) {
    top += heightOf(from);
    from += 1;
  }
  const above = top;
  let to = from;
  while (to < count && top < scrolled + room + SPARE_PX) {
    top += heightOf(to);
    to += 1;
  }
  let below = 0;
  for (let index = to; index < count; index += 1) below += heightOf(index);
  return { from, to, above, below };
}
