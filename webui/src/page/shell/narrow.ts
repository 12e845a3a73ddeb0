/** Whether the window is as narrow as a phone, where less has room side by side. The style sheet has the same limit. */

import { signal } from "@preact/signals";

const narrow = matchMedia("(max-width: 44rem)");

export const isNarrow = signal(narrow.matches);

narrow.addEventListener("change", () => {
  isNarrow.value = narrow.matches;
});
