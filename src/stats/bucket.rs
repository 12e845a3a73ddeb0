//! Locust's rounding of response times, for what leaves in Locust's own form: `response_times` and the wire.

/// The bucket that Locust counts `response_time_ms` in: two significant digits, half to even.
pub fn locust_bucket(response_time_ms: f64) -> i64 {
    let step = match response_time_ms {
        t if t < 100.0 => 1.0,
        t if t < 1000.0 => 10.0,
        t if t < 10_000.0 => 100.0,
        _ => 1000.0,
    };
    ((response_time_ms / step).round_ties_even() * step) as i64
}

#[cfg(test)]
mod tests {
    use super::locust_bucket;

    #[test]
    fn rounds_as_locust_does() {
        let cases = [
            (0.5, 0),
            (1.5, 2),
            (2.5, 2),
            (99.5, 100),
            (105.0, 100),
            (115.0, 120),
            (125.0, 120),
            (147.0, 150),
            (995.0, 1000),
            (1050.0, 1000),
            (1150.0, 1200),
            (3432.0, 3400),
            (9950.0, 10_000),
            (10_500.0, 10_000),
            (11_500.0, 12_000),
            (58_760.0, 59_000),
        ];
        for (time, bucket) in cases {
            assert_eq!(locust_bucket(time), bucket, "{time}");
        }
    }
}
