/**
 * The handle on the chart of users by which the load is changed: dragged up and down, or moved with the keys, it says what
 * would be asked for, and nothing is asked for before that is confirmed.
 */

import type { Plot } from "../../parts/chart/plot";
import uPlot from "../../parts/chart/uplot";
import { h } from "../../parts/dom";
import { whole } from "../../parts/format";
import { nice } from "./nice";

interface Load {
  /** Asked for now. */
  users: number;
  rate: number;
}

/** Gives the reason of a refusal. */
type Change = (users: number, rate: number) => Promise<string | null>;

const STEPS: Record<string, number> = {
  ArrowUp: 1,
  ArrowRight: 1,
  ArrowDown: -1,
  ArrowLeft: -1,
  PageUp: 10,
  PageDown: -10,
};

export class TargetHandle {
  private readonly line = h("div", { class: "target-line" });
  private readonly knob = h("div", {
    class: "target-knob",
    role: "slider",
    tabindex: 0,
    "aria-label": "Users to run",
    "aria-orientation": "vertical",
    "aria-valuemin": 0,
    title: "Drag to change the number of users",
  });
  private readonly text = h("p", {});
  private readonly refusal = h("p", { class: "bad", role: "alert" });
  private readonly set = h("button", { type: "button", class: "primary", click: () => void this.confirm() }, "Change");
  private readonly leave = h("button", { type: "button", class: "quiet", click: () => this.cancel() }, "Cancel");
  private readonly box = h(
    "div",
    { class: "target-box", role: "group", "aria-label": "Change the load", hidden: true },
    this.text,
    this.refusal,
    h("div", { class: "buttons" }, this.set, this.leave),
  );
  private readonly element = h("div", { class: "target", hidden: true }, this.line, this.box, this.knob);
  private plot: Plot | null = null;
  private load: Load | null = null;
  /** What would be asked for; `null` while nothing is proposed. */
  private proposed: number | null = null;
  private isDragged = false;

  constructor(private readonly change: Change) {
    this.knob.addEventListener("pointerdown", (event) => this.take(event));
    this.knob.addEventListener("pointermove", (event) => this.drag(event));
    this.knob.addEventListener("pointerup", () => this.drop());
    this.knob.addEventListener("pointercancel", () => this.cancel());
    this.knob.addEventListener("keydown", (event) => this.key(event));
    this.box.addEventListener("keydown", (event) => {
      if (event.key === "Escape") this.cancel();
    });
  }

  /** Stand where this load is, or nowhere while it cannot be changed. */
  show(plot: Plot | null, load: Load | null): void {
    if (plot && plot !== this.plot) plot.frame.append(this.element);
    this.plot = plot;
    this.load = load;
    if (!plot?.uplot || !load) {
      this.element.hidden = true;
      this.proposed = null;
      return;
    }
    this.element.hidden = false;
    this.place();
  }

  private get value(): number {
    return this.proposed ?? this.load?.users ?? 0;
  }

  private place(): void {
    const chart = this.plot?.uplot;
    const load = this.load;
    if (!chart || !load) return;
    const { top, left, width, height } = inPage(chart);
    const at = top + Math.min(height, Math.max(0, chart.valToPos(this.value, "y")));
    this.element.classList.toggle("proposed", this.proposed !== null);
    for (const part of [this.line, this.knob, this.box]) part.style.top = `${at}px`;
    this.line.style.left = `${left}px`;
    this.line.style.width = `${width}px`;
    this.knob.style.left = `${left + width}px`;
    this.box.style.right = `${Math.max(0, chart.width - left - width + 16)}px`;
    this.box.classList.toggle("below", at < top + height / 2);
    this.knob.setAttribute("aria-valuenow", String(this.value));
    const now = `${whole(load.users)} users`;
    const said = `${users(this.value)} instead of ${whole(load.users)}`;
    this.knob.setAttribute(
      "aria-valuetext",
      this.proposed === null ? now : `${said}: Enter changes the load, Escape does not`,
    );
    this.text.textContent = `${said}, ${whole(load.rate)} per second`;
    this.set.textContent = `Run ${users(this.value)}`;
    this.set.disabled = this.isDragged || this.proposed === null || this.proposed === load.users;
    this.box.hidden = this.proposed === null;
  }

  private take(event: PointerEvent): void {
    if (event.button !== 0) return;
    this.knob.setPointerCapture(event.pointerId);
    this.knob.focus();
    this.isDragged = true;
    this.refusal.textContent = "";
    this.proposed = this.value;
    this.place();
  }

  private drag(event: PointerEvent): void {
    const chart = this.plot?.uplot;
    if (!this.isDragged || !chart) return;
    const { top } = chart.over.getBoundingClientRect();
    this.proposed = nice(chart.posToVal(event.clientY - top, "y"), chart.posToVal(0, "y") / 100);
    this.place();
  }

  private drop(): void {
    if (!this.isDragged) return;
    this.isDragged = false;
    if (this.proposed === this.load?.users) this.proposed = null;
    this.place();
    if (this.proposed !== null) this.set.focus();
  }

  private key(event: KeyboardEvent): void {
    const step = STEPS[event.key];
    if (step !== undefined) this.proposed = Math.max(0, this.value + step);
    else if (event.key === "Enter" && this.proposed !== null) void this.confirm();
    else if (event.key === "Escape") this.cancel();
    else return;
    event.preventDefault();
    this.refusal.textContent = "";
    this.place();
  }

  private cancel(): void {
    this.isDragged = false;
    this.proposed = null;
    this.refusal.textContent = "";
    this.place();
    this.knob.focus();
  }

  private async confirm(): Promise<void> {
    const [users, load] = [this.proposed, this.load];
    if (users === null || !load || users === load.users) return;
    this.set.disabled = true;
    const refusal = await this.change(users, load.rate);
    if (refusal === null) this.cancel();
    else this.refusal.textContent = refusal;
    this.place();
  }
}

/** Where the lines of a chart are drawn, in CSS pixels of its frame: as the chart knows it, so that nothing is laid out for it. */
function inPage({ bbox }: uPlot): { top: number; left: number; width: number; height: number } {
  const ratio = uPlot.pxRatio;
  return { top: bbox.top / ratio, left: bbox.left / ratio, width: bbox.width / ratio, height: bbox.height / ratio };
}

function users(count: number): string {
  return count === 1 ? "1 user" : `${whole(count)} users`;
}
