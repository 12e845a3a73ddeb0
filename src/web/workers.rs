//! The workers of a master, as the page and whoever polls it see them.

use serde_json::{Value, json};

use crate::cluster::master::Worker;

/// With Locust's names.
pub fn locusts(worker: &Worker) -> Value {
    json!({
        "id": &*worker.id,
        "state": worker.state,
        "user_count": worker.users,
        "cpu_usage": worker.cpu,
        "memory_usage": worker.memory,
    })
}

/// The same, and what only our page shows. What a worker of Locust's does not say is `null`.
pub fn whole(worker: &Worker) -> Value {
    let mut shown = locusts(worker);
    let figures = &worker.figures;
    let (waits, p50, p95, _, max) = figures.lag;
    shown["index"] = worker.index.into();
    shown["is_ours"] = worker.is_ours.into();
    shown["requests"] = figures.requests.into();
    shown["failures"] = figures.failures.into();
    shown["rps"] = rounded(figures.rps, 10.0).into();
    shown["last_report"] = figures.last_report.into();
    shown["busy_s"] = if worker.busy >= 1.0 { rounded(worker.busy, 1.0).into() } else { Value::Null };
    shown["lag_ms"] = (waits > 0)
        .then(|| json!({"p50": rounded(p50, 100.0), "p95": rounded(p95, 100.0), "max": rounded(max, 100.0)}))
        .into();
    shown["clock"] = figures
        .offset
        .map(|(offset, error)| json!({"offset_s": rounded(offset, 10_000.0), "error_s": rounded(error, 10_000.0)}))
        .into();
    shown
}

/// What changes by less is no news to those who watch.
fn rounded(value: f64, steps: f64) -> f64 {
    (value * steps).round() / steps
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::report::Figures;

    #[test]
    fn a_worker_of_locusts_is_shown_without_what_it_does_not_say() {
        let worker = Worker { id: "w".into(), state: "running".into(), users: 3, cpu: 12.5, ..Worker::default() };
        let shown = whole(&worker);
        assert_eq!((&shown["lag_ms"], &shown["clock"], &shown["busy_s"]), (&Value::Null, &Value::Null, &Value::Null));
        assert_eq!((&shown["user_count"], &shown["cpu_usage"]), (&json!(3), &json!(12.5)));
    }

    #[test]
    fn a_worker_of_ours_says_how_long_responses_waited_and_what_time_it_has() {
        let figures = Figures {
            rps: 12.34,
            lag: (7, 0.123, 4.567, 5.0, 81.0),
            offset: Some((-3.000_04, 0.000_26)),
            ..Figures::default()
        };
        let shown = whole(&Worker { is_ours: true, busy: 4.2, figures, ..Worker::default() });
        assert_eq!(shown["lag_ms"], json!({"p50": 0.12, "p95": 4.57, "max": 81.0}));
        assert_eq!(shown["clock"], json!({"offset_s": -3.0, "error_s": 0.0003}));
        assert_eq!((&shown["busy_s"], &shown["rps"]), (&json!(4.0), &json!(12.3)));
    }
}
