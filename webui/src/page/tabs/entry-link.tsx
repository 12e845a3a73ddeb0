/** The name of an entry, which leads to its charts. */

import { openTab } from "../tabs";

export function EntryLink({ entry }: { entry: { method: string; name: string } }) {
  const { method, name } = entry;
  const address = `?${new URLSearchParams({ tab: "charts", method, name })}`;
  const open = (event: MouseEvent) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    openTab("charts", { method, name });
  };
  return (
    <a href={address} onClick={open} title="Show its charts">
      {name}
    </a>
  );
}
