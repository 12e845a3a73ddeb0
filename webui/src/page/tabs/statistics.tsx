/** What was measured, entry by entry. */

import { signal } from "@preact/signals";
import { useMemo } from "preact/hooks";
import { entryText } from "../../report/columns";
import { args } from "../data/args";
import { rowKey } from "../data/rows";
import { store } from "../data/store";
import { Menu } from "../shell/menu";
import type { Order } from "../table/sorting";
import { Table } from "../table/table";
import { FilterBox } from "./filter-box";
import { choose, chooseAgain, chosen, isShown, type StatsColumn, statsColumns } from "./stats-columns";

const order = signal<Order>(null);
const filter = signal("");

export function Statistics() {
  const percentiles = args.value.percentiles_to_statistics;
  const columns = useMemo(() => statsColumns(percentiles), [percentiles]);
  const shown = useMemo(() => columns.filter(isShown), [columns, chosen.value]);
  return (
    <div class="fill">
      <div class="toolbar">
        <FilterBox label="Filter entries" typed={filter} />
        <Chooser columns={columns} />
      </div>
      <Table
        caption="Statistics"
        columns={shown}
        rows={store.rows.value}
        total={store.total.value}
        identity={rowKey}
        order={order}
        filter={filter.value}
        text={entryText}
        empty="No request was made yet."
      />
    </div>
  );
}

function Chooser({ columns }: { columns: StatsColumn[] }) {
  return (
    <Menu label="Columns">
      <fieldset class="choices">
        <legend>Columns to show</legend>
        {columns
          .filter(({ key }) => key !== "name")
          .map((column) => (
            <label key={column.key}>
              <input
                type="checkbox"
                checked={isShown(column)}
                onChange={(event) => choose(column, event.currentTarget.checked)}
              />
              {column.title}
            </label>
          ))}
      </fieldset>
      <button type="button" class="quiet" onClick={chooseAgain}>
        As at first
      </button>
    </Menu>
  );
}
