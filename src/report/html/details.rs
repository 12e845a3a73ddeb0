//! What the page shows of each entry beside Locust's figures: how its response times are spread, and their phases;
//! the generator's lag, and what somebody said of a moment.

use serde_json::{Value, json};

use crate::http::Phase;
use crate::stats::{Annotation, Row, Table};

/// Steps of the distribution for each decade of 1 − quantile: as fine as a chart as wide as a page can show.
const STEPS: u32 = 8;
/// Up to 99.9999 %.
const DECADES: u32 = 6;

/// By [`Phase::ALL`].
pub const PHASES: [&str; Phase::ALL.len()] = ["look-up", "connect", "TLS", "sending", "waiting", "receiving"];

pub fn details(table: &Table) -> Value {
    let mut rows = table.sorted_rows();
    rows.push(table.total());
    let quantiles: Vec<f64> = (0..=STEPS * DECADES).map(quantile).collect();
    json!({
        "distribution": {
            "quantiles": quantiles,
            "rows": rows.iter().filter_map(|row| distribution(row, &quantiles)).collect::<Vec<_>>(),
        },
        "phases": {"names": PHASES, "rows": rows.iter().filter_map(|row| phases(row)).collect::<Vec<_>>()},
        "lag": table.lag().to_json(table.total().median_response_time().as_f64()),
        "annotations": table.present_annotations().map(Annotation::to_json).collect::<Vec<_>>(),
    })
}

/// Evenly spaced where each decade has the same width.
fn quantile(step: u32) -> f64 {
    let quantile = 1.0 - 10f64.powf(-f64::from(step) / f64::from(STEPS));
    (quantile * 1e9).round() / 1e9
}

/// `None` without a response time. Quantiles end where a single request would decide on more than one.
fn distribution(row: &Row, quantiles: &[f64]) -> Option<Value> {
    let times = &row.parts().response_times;
    let count = times.count() as f64;
    let known = quantiles.iter().filter(|quantile| (1.0 - **quantile) * count >= 1.0 - 1e-6);
    let values: Vec<f64> = known.map_while(|quantile| times.quantile_ms(*quantile)).collect();
    (count > 0.0).then(|| {
        json!({
            "method": &*row.method,
            "name": &*row.name,
            "count": times.count(),
            "values_ms": values,
            "max_ms": rounded(row.max_response_time().as_f64()),
        })
    })
}

/// `None` where no request was the engine's.
fn phases(row: &Row) -> Option<Value> {
    let phases = &row.parts().phases;
    let averages: Vec<f64> = Phase::ALL.iter().map(|phase| rounded(phases.average_ms(*phase))).collect();
    (!phases.is_empty()).then(|| {
        json!({
            "method": &*row.method,
            "name": &*row.name,
            "calls": phases.calls(),
            "opened": phases.opened(),
            "reused": phases.reused(),
            "average_ms": averages,
        })
    })
}

/// To the microsecond.
fn rounded(value_ms: f64) -> f64 {
    (value_ms * 1000.0).round() / 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::Sample;
    use proptest::prelude::*;

    fn table_of(times_ms: &[u32]) -> Table {
        let mut table = Table::new(0.0, false);
        for time in times_ms {
            let sample = Sample {
                response_time_ms: Some(f64::from(*time)),
                response_length: 0,
                generator_lag: std::time::Duration::ZERO,
                phases: None,
                at: 1.0,
            };
            table.record("GET", "/", sample);
        }
        table
    }

    #[test]
    fn nothing_measured_is_nothing_shown() {
        let details = details(&Table::new(0.0, false));
        assert_eq!(details["distribution"]["rows"], json!([]));
        assert_eq!(details["phases"]["rows"], json!([]));
        assert_eq!(details["lag"], Value::Null);
    }

    #[test]
    fn quantiles_are_as_far_apart_in_every_decade() {
        let quantiles = [0, 8, 16, 48].map(quantile);
        assert_eq!(quantiles, [0.0, 0.9, 0.99, 0.999_999]);
    }

    proptest! {
        #[test]
        fn a_distribution_rises_and_ends_where_the_requests_do(times in prop::collection::vec(1..100_000u32, 1..2000)) {
            let details = details(&table_of(&times));
            let rows = details["distribution"]["rows"].as_array().unwrap();
            prop_assert_eq!(rows.len(), 2);
            let values: Vec<f64> = rows[0]["values_ms"].as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect();
            prop_assert!(values.is_sorted());
            prop_assert!(values.len() as f64 <= 1.0 + 8.0 * (times.len() as f64).log10() + 1e-6);
            let max = f64::from(*times.iter().max().unwrap());
            prop_assert_eq!(rows[0]["max_ms"].as_f64(), Some(max));
            prop_assert!(values.iter().all(|value| *value <= max * 1.001));
        }
    }
}
