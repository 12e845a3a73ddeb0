/** How response times are spread: each value against the share of requests that took longer, a decade a step. */

import { axis, Chip, type Line, Plot, series } from "../parts/chart/plot";
import uPlot from "../parts/chart/uplot";
import { fill, h } from "../parts/dom";
import { duration } from "../parts/format";
import { type Section, section } from "../parts/section";
import { type Distribution, isTotal, title } from "./data";
import { percentileAt, placeOf } from "./percentiles";

type Row = Distribution["rows"][number];

const MOST = 6;
const HEIGHT = 320;

export function distribution(data: Distribution): Section | null {
  const rows = data.rows.filter((row) => row.count > 0);
  if (rows.length === 0) return null;
  const picture = new Picture(data.quantiles, rows);
  const note =
    "Each step to the right is ten times rarer: 90 %, 99 %, 99.9 % of the requests took no longer. A line ends at the slowest request.";
  return section("distribution", "Distribution", note, picture.element);
}

class Picture {
  readonly element = h("div", { class: "distribution" });
  private readonly chips = h("div", { class: "chips" });
  private readonly plot: Plot;
  private readonly chosen: Row[];
  private isLogarithmic: boolean;

  constructor(
    private readonly quantiles: number[],
    private readonly rows: Row[],
  ) {
    const total = rows.filter(isTotal);
    const entries = rows.filter((row) => !isTotal(row)).toSorted((a, b) => b.count - a.count);
    this.chosen = entries.length === 1 ? entries : [...total, ...entries.slice(0, 3)];
    const [slowest, median] = [Math.max(...rows.map((row) => row.max_ms)), Math.min(...this.chosen.map(middle))];
    this.isLogarithmic = slowest > 30 * median;
    this.plot = new Plot(
      "Response time by percentile",
      this.chips,
      `Response time by percentile of ${rows.length} entries`,
    );
    const tools = h("div", { class: "pick" }, this.picker(entries, total), this.scaleSwitch());
    this.element.append(tools, this.plot.element);
    this.draw();
  }

  private picker(entries: Row[], total: Row[]): HTMLElement {
    const ordered = [...total, ...entries.toSorted((a, b) => title(a).localeCompare(title(b)))];
    const options = ordered.map((row) => h("option", { value: this.rows.indexOf(row) }, title(row)));
    const select = h(
      "select",
      { "aria-label": "Add an entry to the chart" },
      h("option", { value: "" }, "Add an entry…"),
      ...options,
    );
    select.addEventListener("change", () => {
      const row = select.value === "" ? undefined : this.rows[Number(select.value)];
      select.value = "";
      if (!row || this.chosen.includes(row)) return;
      this.chosen.push(row);
      if (this.chosen.length > MOST) this.chosen.shift();
      this.draw();
    });
    return select;
  }

  private scaleSwitch(): HTMLElement {
    const box = h("input", { type: "checkbox" });
    box.checked = this.isLogarithmic;
    box.addEventListener("change", () => {
      this.isLogarithmic = box.checked;
      this.draw();
    });
    return h("label", {}, box, "Logarithmic times");
  }

  private draw(): void {
    const lines = this.chosen.map(
      (row, index): Line => ({ label: title(row), color: `entry-${index + 1}`, show: duration }),
    );
    const at = h("output", { class: "when" });
    const chips = lines.map((line, index) => new Chip(line, () => this.drop(index)));
    for (const chip of chips) chip.element.title = "Take out of the chart";
    fill(this.chips, [...chips.map((chip) => chip.element), at]);
    const data = this.points();
    const say = (index: number | null) => {
      const place = index === null ? undefined : data[0][index];
      at.textContent = place === undefined ? "" : `${percentileAt(place)} %`;
      chips.forEach((chip, line) => {
        const value = index === null ? null : data[line + 1]?.[index];
        chip.say(typeof value === "number" ? duration(value) : "");
      });
    };
    this.plot.draw(this.options(lines, say), data);
  }

  private drop(index: number): void {
    if (this.chosen.length > 1) this.chosen.splice(index, 1);
    this.draw();
  }

  /** All lines on the places of all. */
  private points(): uPlot.AlignedData {
    const tables = this.chosen.map((row): uPlot.AlignedData => {
      const places = row.values_ms.map((_, index) => placeOf(this.quantiles[index] ?? 0));
      const last = Math.max(Math.log10(row.count), (places.at(-1) ?? 0) + 0.01);
      return [
        [...places, last],
        [...row.values_ms, row.max_ms],
      ];
    });
    return uPlot.join(tables);
  }

  private options(lines: Line[], say: (index: number | null) => void): Omit<uPlot.Options, "width"> {
    const setCursor = ({ cursor }: uPlot) =>
      say(cursor.left === undefined || cursor.left < 0 ? null : (cursor.idx ?? null));
    const linear: uPlot.Scale = { range: (_u, _min, max) => [0, max > 0 ? max * 1.08 : 1] };
    return {
      height: HEIGHT,
      padding: [8, 30, 0, 0],
      legend: { show: false },
      cursor: { y: false, drag: { x: false, y: false }, points: { size: 6 } },
      scales: { x: { time: false, range: (_u, _min, max) => [0, max] }, y: this.isLogarithmic ? { distr: 3 } : linear },
      axes: [
        axis({
          size: 32,
          splits: (_u, _axis, _min, max) => [0, Math.log10(2), ...decades(max)],
          values: (_u, splits) => splits.map((place) => `${percentileAt(place)} %`),
        }),
        axis({ size: 68, values: (_u, splits) => splits.map((value) => (value === null ? "" : duration(value))) }),
      ],
      series: [{}, ...lines.map(series)],
      hooks: { setCursor: [setCursor] },
    };
  }
}

function middle(row: Row): number {
  return row.values_ms[Math.floor(row.values_ms.length / 2)] ?? row.max_ms;
}

function decades(last: number): number[] {
  return Array.from({ length: Math.floor(last) }, (_, index) => index + 1);
}
