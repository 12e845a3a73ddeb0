/** The intervals of the present run, of which the stream sends only the latest. */

import type { Timeline } from "../../report/data";

/** With the intervals of `later` behind its own. What is shaded is small and comes whole each time. */
export function extended(timeline: Timeline, later: Timeline): Timeline {
  const { total } = timeline;
  return {
    ...later,
    ends_s: timeline.ends_s.concat(later.ends_s),
    users: timeline.users.concat(later.users),
    lag_p99_ms: timeline.lag_p99_ms.concat(later.lag_p99_ms),
    total: {
      requests: total.requests.concat(later.total.requests),
      failures: total.failures.concat(later.total.failures),
      p50_ms: total.p50_ms.concat(later.total.p50_ms),
      p95_ms: total.p95_ms.concat(later.total.p95_ms),
      p99_ms: total.p99_ms.concat(later.total.p99_ms),
    },
  };
}
