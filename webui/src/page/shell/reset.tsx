/** The question before what was measured is forgotten. */

import { reset } from "../actions";

export function Reset({ onDone }: { onDone: () => void }) {
  const forget = async () => {
    onDone();
    await reset();
  };
  return (
    <>
      <p>All counts, response times, failures and exceptions begin anew. What was measured so far is gone.</p>
      <div class="buttons">
        <button type="button" class="quiet" onClick={onDone}>
          Cancel
        </button>
        <button type="button" class="stop" onClick={() => void forget()}>
          Reset statistics
        </button>
      </div>
    </>
  );
}
