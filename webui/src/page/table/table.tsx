/**
 * A table of as many rows as there are: it sorts, filters, keeps its head and its total in sight, and draws only the rows
 * that are in sight. Columns have fixed widths, so that nothing moves when other rows come.
 */

import type { Signal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { matcher } from "../../parts/filter";
import type { Key } from "../../parts/table";
import { nextOrder, type Order, sorted } from "./sorting";
import { inSight } from "./window";

export interface Column<Row> {
  key: string;
  title: string;
  /** What it is sorted by; also what is shown, where nothing else is. */
  value: (row: Row) => Key;
  show?: (row: Row) => ComponentChildren;
  numeric?: boolean;
  /** A class for its cells. */
  style?: string;
  /** For a head that is too short to say it all. */
  hint?: string;
  /** In rem. What is left of the table's width is shared by the columns that grow. */
  width: number;
  grows?: boolean;
}

interface Props<Row> {
  /** What it is a table of; read out, not shown. */
  caption: string;
  columns: Column<Row>[];
  rows: Row[];
  identity: (row: Row) => string;
  order: Signal<Order>;
  total?: Row | null;
  /** What was typed to narrow it, and what that is looked for in. */
  filter?: string;
  text?: (row: Row) => string;
  empty: string;
}

const USUAL_HEIGHT = 33;

export function Table<Row>(props: Props<Row>) {
  const { caption, columns, rows, identity, order, total, filter = "", text } = props;
  const kept = useMemo(() => narrowed(rows, filter, text), [rows, filter, text]);
  const column = columns.find(({ key }) => key === order.value?.column);
  const ordered = useMemo(() => sorted(kept, column?.value, order.value), [kept, column, order.value]);
  const box = useRef<HTMLDivElement>(null);
  const view = useView(box);
  const heights = useRef(new Map<string, number>());
  const heightOf = (index: number) => heights.current.get(identity(ordered[index] as Row)) ?? USUAL_HEIGHT;
  const { from, to, above, below } = inSight(ordered.length, heightOf, view.scrolled, view.room);
  const [, redraw] = useState(0);

  useLayoutEffect(() => {
    if (measure(box.current, heights.current)) redraw((count) => count + 1);
  });

  const least = columns.reduce((sum, { width }) => sum + width, 0);
  return (
    <div class="table grid">
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached with the keyboard. */}
      <section class="scroll" ref={box} tabIndex={0} aria-label={`${caption}: table`}>
        <table aria-rowcount={ordered.length + 1 + Number(Boolean(total))} style={{ minWidth: `${least}rem` }}>
          <caption>{caption}</caption>
          <colgroup>
            {columns.map((each) => (
              <col key={each.key} style={{ width: each.grows ? "auto" : `${each.width}rem` }} />
            ))}
          </colgroup>
          <thead>
            <tr>
              {columns.map((each) => (
                <Head key={each.key} column={each} order={order} />
              ))}
            </tr>
          </thead>
          <tbody>
            <Gap height={above} columns={columns.length} />
            {ordered.slice(from, to).map((row, index) => (
              <Line key={identity(row)} identity={identity(row)} index={from + index + 2} row={row} columns={columns} />
            ))}
            <Gap height={below} columns={columns.length} />
          </tbody>
          {total && (
            <tfoot>
              <Line row={total} columns={columns} index={ordered.length + 2} />
            </tfoot>
          )}
        </table>
      </section>
      <p class="count" role="status">
        {rows.length === 0 ? props.empty : kept.length < rows.length ? `${kept.length} of ${rows.length} shown` : ""}
      </p>
    </div>
  );
}

function narrowed<Row>(rows: Row[], filter: string, text: ((row: Row) => string) | undefined): Row[] {
  if (filter.trim() === "" || !text) return rows;
  const matches = matcher(filter);
  return rows.filter((row) => matches(text(row)));
}

function Head<Row>({ column, order }: { column: Column<Row>; order: Signal<Order> }) {
  const now = order.value?.column === column.key ? order.value.direction : undefined;
  const sort = () => {
    order.value = nextOrder(order.value, column.key, column.numeric ?? false);
  };
  return (
    <th scope="col" class={look(column)} aria-sort={now}>
      <button type="button" onClick={sort} title={column.hint}>
        {column.title}
      </button>
    </th>
  );
}

interface LineProps<Row> {
  row: Row;
  columns: Column<Row>[];
  index: number;
  identity?: string;
}

function Line<Row>({ row, columns, index, identity }: LineProps<Row>) {
  return (
    <tr aria-rowindex={index} data-row={identity}>
      {columns.map((column) => (
        <td key={column.key} class={look(column)}>
          {column.show ? column.show(row) : column.value(row)}
        </td>
      ))}
    </tr>
  );
}

/** In place of rows out of sight. */
function Gap({ height, columns }: { height: number; columns: number }) {
  if (height === 0) return null;
  return (
    <tr class="gap">
      <td colSpan={columns} style={{ height: `${height}px` }} />
    </tr>
  );
}

function look<Row>({ numeric, style }: Column<Row>): string | undefined {
  return [numeric ? "number" : "", style ?? ""].filter(Boolean).join(" ") || undefined;
}

/** How far a box is scrolled, and how high it is. */
function useView(box: { current: HTMLElement | null }): { scrolled: number; room: number } {
  const [view, setView] = useState({ scrolled: 0, room: 800 });
  useLayoutEffect(() => {
    const element = box.current;
    if (!element) return;
    const look = () => setView({ scrolled: element.scrollTop, room: element.clientHeight });
    const watcher = new ResizeObserver(look);
    watcher.observe(element);
    element.addEventListener("scroll", look, { passive: true });
    return () => {
      watcher.disconnect();
      element.removeEventListener("scroll", look);
    };
  }, [box]);
  return view;
}

/** Keep the heights of the rows that are drawn; whether one is other than it was thought to be. */
function measure(box: HTMLElement | null, heights: Map<string, number>): boolean {
  let isNew = false;
  for (const line of box?.querySelectorAll<HTMLElement>("tr[data-row]") ?? []) {
    const key = line.dataset.row ?? "";
    const height = line.getBoundingClientRect().height;
    if (Math.abs((heights.get(key) ?? USUAL_HEIGHT) - height) <= 0.5) continue;
    heights.set(key, height);
    isNew = true;
  }
  return isNew;
}
