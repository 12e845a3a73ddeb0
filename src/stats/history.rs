//! One point of the charts, and the form of time that it carries.

/// What the charts show of one moment.
#[derive(Debug, Clone, PartialEq)]
pub struct HistoryPoint {
    /// UTC, whole seconds.
    pub time: String,
    pub user_count: u64,
    pub current_rps: super::Number,
    pub current_fail_per_sec: super::Number,
    /// Two decimals.
    pub total_avg_response_time: f64,
    /// Quantile and whole milliseconds, over the last seconds.
    pub percentiles: Vec<(f64, u64)>,
}

/// Seconds of the Unix epoch as `2026-01-31T09:05:10Z`, truncated to whole seconds.
pub fn utc(at: f64) -> String {
    let seconds = at.floor() as i64;
    let (year, month, day) = civil(seconds.div_euclid(86_400));
    let time = seconds.rem_euclid(86_400);
    format!("{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}Z", time / 3600, time / 60 % 60, time % 60)
}

/// The date of a day counted from 1 January 1970, in the Gregorian calendar. Years begin in March here, so that
/// the leap day is a year's last, and 400 years are always 146 097 days.
fn civil(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let (era, day_of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = (month_from_march + 2) % 12 + 1;
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::utc;

    #[test]
    fn writes_utc() {
        let times = [
            (0.9, "1970-01-01T00:00:00Z"),
            (1_767_225_600.0, "2026-01-01T00:00:00Z"),
            (1_709_210_096.7, "2024-02-29T12:34:56Z"),
            (951_782_400.0, "2000-02-29T00:00:00Z"),
        ];
        for (at, text) in times {
            assert_eq!(utc(at), text);
        }
    }
}
