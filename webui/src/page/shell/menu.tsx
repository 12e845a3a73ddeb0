/** A button that opens a small box below it. It closes with Escape, and when something else is used. */

import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";

interface Props {
  label: string;
  /** What is shown instead of the label. */
  sign?: string;
  children: ComponentChildren;
}

export function Menu({ label, sign, children }: Props) {
  const menu = useRef<HTMLDetailsElement>(null);
  useEffect(() => {
    const close = (event: Event) => {
      const element = menu.current;
      if (element?.open && event.target instanceof Node && !element.contains(event.target)) element.open = false;
    };
    const closeByKey = (event: KeyboardEvent) => {
      if (event.key !== "Escape" || !menu.current?.open) return;
      menu.current.open = false;
      menu.current.querySelector("summary")?.focus();
    };
    document.addEventListener("pointerdown", close);
    document.addEventListener("focusin", close);
    document.addEventListener("keydown", closeByKey);
    return () => {
      document.removeEventListener("pointerdown", close);
      document.removeEventListener("focusin", close);
      document.removeEventListener("keydown", closeByKey);
    };
  }, []);
  return (
    <details class="menu" ref={menu}>
      <summary class="quiet" aria-label={sign ? label : undefined}>
        {sign ?? label}
      </summary>
      <div class="box">{children}</div>
    </details>
  );
}
