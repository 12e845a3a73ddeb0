//! Numbers as Python prints them, so that files and tables read as Locust's do.

use crate::stats::Number;

/// A float by its shortest decimal that reads back the same, as Python's `repr` gives it.
pub fn float(value: f64) -> String {
    let size = value.abs();
    if size != 0.0 && !(1e-4..1e16).contains(&size) && value.is_finite() {
        return exponential(value);
    }
    match value {
        _ if value.is_nan() => "nan".into(),
        _ if value.is_infinite() => if value > 0.0 { "inf" } else { "-inf" }.into(),
        _ => format!("{value:?}"),
    }
}

/// Rust writes `1e-7`, Python `1e-07`.
fn exponential(value: f64) -> String {
    let text = format!("{value:e}");
    let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let (sign, exponent) = exponent.strip_prefix('-').map_or(('+', exponent), |exponent| ('-', exponent));
    format!("{digits}e{sign}{exponent:0>2}")
}

pub fn number(value: Number) -> String {
    match value {
        Number::Whole(value) => value.to_string(),
        Number::Exact(value) => float(value),
    }
}

/// `0.999` → `99.9%`: a whole percentage without a decimal point, else at most six decimals.
pub fn percentile_label(quantile: f64) -> String {
    let percent = quantile * 100.0;
    if percent.fract() == 0.0 {
        return format!("{percent:.0}%");
    }
    format!("{}%", float(format!("{percent:.6}").parse().unwrap_or(percent)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_read_as_pythons() {
        let floats = [
            (501.207_000_000_000_16, "501.20700000000016"),
            (1e-7, "1e-07"),
            (0.0, "0.0"),
            (100.0, "100.0"),
            (1.5e-5, "1.5e-05"),
            (0.0001, "0.0001"),
            (1e16, "1e+16"),
            (123_456_789.0, "123456789.0"),
            (f64::NAN, "nan"),
        ];
        for (value, text) in floats {
            assert_eq!(float(value), text);
        }
    }

    #[test]
    fn percentiles_are_labelled_as_locust_labels_them() {
        let labels = [
            (0.5, "50%"),
            (0.29, "29.0%"),
            (0.999, "99.9%"),
            (0.9999, "99.99%"),
            (1.0, "100%"),
            (0.123_456_78, "12.345678%"),
        ];
        for (quantile, label) in labels {
            assert_eq!(percentile_label(quantile), label);
        }
    }
}
