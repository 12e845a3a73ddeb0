/** The charts themselves. They are made once and stay, with what the reader has chosen in them, while other tabs are open. */

import { effect } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { SATURATED } from "../../parts/chart/bands";
import { TimeCharts } from "../../parts/chart/time";
import { changeLoad } from "../actions";
import { isActive, store } from "../data/store";
import { TITLES } from "./curves";
import { data, follow, isCompared } from "./shown";
import { TargetHandle } from "./target";

interface Drawn {
  charts: TimeCharts;
  handle: TargetHandle;
}

let drawn: Drawn | null = null;

export function Board() {
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => {
    drawn ??= { charts: new TimeCharts({ shaded: SATURATED, pictures: true }), handle: new TargetHandle(changeLoad) };
    const { charts, handle } = drawn;
    place.current?.append(charts.element);
    const leave = follow();
    const end = effect(() => {
      if (data.value) charts.show(data.value);
      handle.show(charts.plot(TITLES.users), load());
    });
    const again = new ResizeObserver(() => handle.show(charts.plot(TITLES.users), load()));
    again.observe(charts.element);
    return () => {
      again.disconnect();
      end();
      leave();
      charts.element.remove();
    };
  }, []);
  return <div class="board" ref={place} />;
}

/** What is asked for now; `null` where a shape decides, or nothing runs. */
function load(): { users: number; rate: number } | null {
  const { target_user_count, spawn_rate, shape } = store.state.value;
  if (!isActive(store.state) || shape !== null || isCompared.value) return null;
  return { users: target_user_count, rate: spawn_rate ?? 1 };
}
