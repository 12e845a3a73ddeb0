/** A table that sorts by a click on a column's head and shows what a filter lets through. */

import { type Child, fill, h } from "./dom";
import type { Filter } from "./filter";

export type Key = string | number | null;

export interface Column<Row> {
  title: string;
  /** What it is sorted by; also what is shown, where nothing else is. */
  key: (row: Row) => Key;
  show?: (row: Row) => Child;
  /** Right-aligned, and sorted from the largest first. */
  numeric?: boolean;
  /** A class for its cells. */
  style?: string;
  /** For a head that is too short to say it all. */
  hint?: string;
}

export interface TableOptions<Row> {
  /** What it is a table of; read out, not shown. */
  caption: string;
  columns: Column<Row>[];
  rows: Row[];
  /** Stays at the foot, whatever is sorted or filtered. */
  total?: Row | undefined;
  /** What a filter looks in. Without it the table is not filtered. */
  text?: (row: Row) => string;
  filter?: Filter;
  /** What is said in place of a table without rows. */
  empty?: string;
}

type Direction = "ascending" | "descending";

interface Line<Row> {
  row: Row;
  element: HTMLTableRowElement;
  text: string;
}

export class Table<Row> {
  readonly element: HTMLElement;
  private readonly body = h("tbody");
  private readonly foot = h("tfoot");
  private readonly heads: HTMLTableCellElement[];
  private readonly count = h("p", { class: "count", "aria-live": "polite" });
  private lines: Line<Row>[] = [];
  private order: { column: number; direction: Direction } | null = null;
  private matches: (text: string) => boolean = () => true;

  constructor(private readonly options: TableOptions<Row>) {
    this.heads = options.columns.map((column, index) => this.head(column, index));
    const caption = h("caption", {}, options.caption);
    const table = h("table", {}, caption, h("thead", {}, h("tr", {}, ...this.heads)), this.body, this.foot);
    this.element = h("div", { class: "table" }, scrolled(options.caption, table), this.count);
    options.filter?.onChange((matches) => {
      this.matches = matches;
      this.narrow();
    });
    this.update(options.rows, options.total);
  }

  /** Show other rows, in the order and behind the filter that the reader has chosen. */
  update(rows: Row[], total?: Row): void {
    const { text } = this.options;
    this.lines = rows.map((row) => ({ row, element: this.line(row), text: text?.(row) ?? "" }));
    fill(this.foot, total === undefined ? [] : [this.line(total)]);
    this.arrange();
    this.narrow();
  }

  private line(row: Row): HTMLTableRowElement {
    const cells = this.options.columns.map((column) => {
      const key = column.key(row);
      const shown = column.show ? column.show(row) : key === null ? "" : String(key);
      return h("td", look(column), shown);
    });
    return h("tr", {}, ...cells);
  }

  private head(column: Column<Row>, index: number): HTMLTableCellElement {
    const button = h("button", { type: "button", click: () => this.sort(index) }, column.title);
    if (column.hint) button.title = column.hint;
    return h("th", { scope: "col", ...look(column) }, button);
  }

  /** First the way in which one looks for something, then the other way, then as it came. */
  private sort(column: number): void {
    const first: Direction = this.options.columns[column]?.numeric ? "descending" : "ascending";
    const second: Direction = first === "ascending" ? "descending" : "ascending";
    const now = this.order?.column === column ? this.order.direction : null;
    const next = now === null ? first : now === first ? second : null;
    this.order = next && { column, direction: next };
    this.arrange();
  }

  private arrange(): void {
    this.heads.forEach((head, index) => {
      if (this.order?.column === index) head.setAttribute("aria-sort", this.order.direction);
      else head.removeAttribute("aria-sort");
    });
    this.body.replaceChildren(...this.ordered().map((line) => line.element));
  }

  private ordered(): Line<Row>[] {
    const column = this.order && this.options.columns[this.order.column];
    if (!column) return this.lines;
    const sign = this.order?.direction === "ascending" ? 1 : -1;
    return this.lines.toSorted((a, b) => sign * compare(column.key(a.row), column.key(b.row)));
  }

  private narrow(): void {
    let shown = 0;
    for (const line of this.lines) {
      const visible = this.matches(line.text);
      line.element.hidden = !visible;
      shown += Number(visible);
    }
    const all = this.lines.length;
    this.count.textContent = all === 0 ? (this.options.empty ?? "") : shown < all ? `${shown} of ${all} shown` : "";
  }
}

/** A table that scrolls within the page, with the keyboard, too. */
export function scrolled(name: string, table: HTMLTableElement): HTMLElement {
  return h("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": `${name}: table` }, table);
}

function look<Row>({ numeric, style }: Column<Row>): { class?: string } {
  const names = [numeric ? "number" : "", style ?? ""].filter(Boolean);
  return names.length > 0 ? { class: names.join(" ") } : {};
}

/** Numbers by size, words by the alphabet, nothing before anything. */
export function compare(a: Key, b: Key): number {
  if (a === null || b === null) return Number(a !== null) - Number(b !== null);
  if (typeof a === "number" && typeof b === "number") return a - b;
  return String(a).localeCompare(String(b), "en", { numeric: true });
}
