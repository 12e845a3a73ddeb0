/** The intervals of the present run, of which the stream sends only the latest. */

import type { Timeline } from "../../report/data";

/** With its intervals from this one on as `later` has them: the last one may have grown. What is shaded comes whole each time. */
export function extended(timeline: Timeline, later: Timeline, from: number): Timeline {
  const { total } = timeline;
  const joined = <Value>(before: Value[], after: Value[]) => before.slice(0, from).concat(after);
  return {
    ...later,
    ends_s: joined(timeline.ends_s, later.ends_s),
    users: joined(timeline.users, later.users),
    target_users: joined(timeline.target_users ?? [], later.target_users ?? []),
    lag_p99_ms: joined(timeline.lag_p99_ms, later.lag_p99_ms),
    total: {
      requests: joined(total.requests, later.total.requests),
      failures: joined(total.failures, later.total.failures),
      p50_ms: joined(total.p50_ms, later.total.p50_ms),
      p95_ms: joined(total.p95_ms, later.total.p95_ms),
      p99_ms: joined(total.p99_ms, later.total.p99_ms),
    },
  };
}
