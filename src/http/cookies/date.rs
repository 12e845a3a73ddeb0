//! The dates of `Expires`, as loosely as Python reads them.

const MONTHS: [&str; 12] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// Seconds of the epoch for `Wed, 09 Feb 1994 22:23:32 GMT`, `Tuesday, 08-Feb-94 14:15:29`, `3 2 1999 +0100` and
/// whatever lies between.
pub(super) fn parse(text: &str) -> Option<i64> {
    let mut cursor = Cursor { rest: text.trim_start_matches(is_space) };
    cursor.weekday();
    let day = cursor.digits(1, 2)?;
    cursor.separator("-/")?;
    let month = cursor.word()?;
    cursor.separator("-/")?;
    let year = cursor.digits(1, usize::MAX)?;
    let clock = cursor.clock();
    cursor.spaces();
    let offset = cursor.zone()?;
    cursor.zone_name();
    cursor.rest.is_empty().then_some(())?;
    let time = epoch(full_year(year)?, month_number(month)?, day, clock)?;
    Some(time - offset)
}

fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t'..='\r')
}

fn month_number(text: &str) -> Option<i64> {
    let lower = text.to_ascii_lowercase();
    let named = (1..).zip(MONTHS).find(|(_, month)| *month == lower).map(|(number, _)| number);
    named.or_else(|| text.parse().ok().filter(|month| (1..=12).contains(month)))
}

/// A year below 1000 counts from the century that brings it closest to this one.
fn full_year(year: i64) -> Option<i64> {
    if year > 9999 {
        return None;
    }
    if year >= 1000 {
        return Some(year);
    }
    let this = this_year();
    let full = this - this % 100 + year;
    Some(match this % 100 - year {
        ahead if ahead > 50 => full + 100,
        behind if behind < -50 => full - 100,
        _ => full,
    })
}

fn this_year() -> i64 {
    let seconds = super::now();
    // The mean year is near enough: a century turns on it, not a date.
    1970 + seconds / 31_556_952
}

fn epoch(year: i64, month: i64, day: i64, (hour, minute, second): (i64, i64, i64)) -> Option<i64> {
    let sound = year >= 1970 && (1..=31).contains(&day) && hour <= 24 && minute <= 59 && second <= 61;
    sound.then(|| ((days_before(year, month) + day - 1) * 24 + hour) * 3600 + minute * 60 + second)
}

/// Days from the epoch to the first of a month, by the calendar that starts its years in March.
fn days_before(year: i64, month: i64) -> i64 {
    let (year, month) = if month <= 2 { (year - 1, month + 9) } else { (year, month - 3) };
    let days = year * 365 + year / 4 - year / 100 + year / 400 + (month * 153 + 2) / 5;
    days - 719_468
}

struct Cursor<'a> {
    rest: &'a str,
}

impl<'a> Cursor<'a> {
    fn take(&mut self, length: usize) -> &'a str {
        let (taken, rest) = self.rest.split_at(length);
        self.rest = rest;
        taken
    }

    fn take_while(&mut self, is: impl Fn(char) -> bool) -> &'a str {
        self.take(self.rest.find(|c| !is(c)).unwrap_or(self.rest.len()))
    }

    fn spaces(&mut self) -> bool {
        !self.take_while(is_space).is_empty()
    }

    fn weekday(&mut self) {
        let word = self.rest.get(..3).unwrap_or("").to_ascii_lowercase();
        if DAYS.contains(&&*word) {
            self.take_while(|c| c.is_ascii_alphabetic());
            self.rest = self.rest.strip_prefix(',').unwrap_or(self.rest);
            self.spaces();
        }
    }

    fn digits(&mut self, least: usize, most: usize) -> Option<i64> {
        let length = self.rest.bytes().take_while(u8::is_ascii_digit).take(most).count();
        (length >= least).then(|| self.take(length).parse().ok())?
    }

    fn separator(&mut self, marks: &str) -> Option<()> {
        if self.spaces() {
            return Some(());
        }
        self.rest = self.rest.strip_prefix(|c| marks.contains(c))?;
        Some(())
    }

    fn word(&mut self) -> Option<&'a str> {
        Some(self.take_while(|c| c.is_ascii_alphanumeric() || c == '_')).filter(|word| !word.is_empty())
    }

    /// Hours and minutes, perhaps seconds; midnight, and nothing taken, if there are none.
    fn clock(&mut self) -> (i64, i64, i64) {
        let start = self.rest;
        let hours_and_minutes = (|| {
            self.separator(":")?;
            let hours = self.digits(1, 2)?;
            self.colon()?;
            Some((hours, self.digits(2, 2)?))
        })();
        let Some((hours, minutes)) = hours_and_minutes else {
            self.rest = start;
            return (0, 0, 0);
        };
        let before_seconds = self.rest;
        let seconds = self.colon().and_then(|()| self.digits(2, 2));
        if seconds.is_none() {
            self.rest = before_seconds;
        }
        (hours, minutes, seconds.unwrap_or(0))
    }

    fn colon(&mut self) -> Option<()> {
        self.rest = self.rest.strip_prefix(':')?;
        Some(())
    }

    /// Seconds east of Greenwich, none being said included; absent for a zone that is not known.
    fn zone(&mut self) -> Option<i64> {
        let numeric = self.rest.starts_with(|c: char| matches!(c, '+' | '-') || c.is_ascii_digit());
        let offset = if numeric { self.numeric_zone()? } else { self.named_zone()? };
        self.spaces();
        Some(offset)
    }

    fn numeric_zone(&mut self) -> Option<i64> {
        let sign = if self.rest.starts_with('-') { -1 } else { 1 };
        self.rest = self.rest.strip_prefix(['+', '-']).unwrap_or(self.rest);
        let digits = self.take_while(|c| c.is_ascii_digit());
        let (hours, minutes) = match digits.len() {
            2 => (digits, "0"),
            length @ (3 | 4) => digits.split_at(length - 2),
            _ => return None,
        };
        Some(sign * (hours.parse::<i64>().ok()? * 3600 + minutes.parse::<i64>().ok()? * 60))
    }

    fn named_zone(&mut self) -> Option<i64> {
        let name = self.take_while(|c| c.is_ascii_alphabetic()).to_ascii_uppercase();
        matches!(&*name, "" | "GMT" | "UTC" | "UT" | "Z").then_some(0)
    }

    /// A zone in brackets is for people.
    fn zone_name(&mut self) {
        let start = self.rest;
        if let Some(inside) = self.rest.strip_prefix('(') {
            self.rest = inside;
            let word = self.word();
            match self.rest.strip_prefix(')').filter(|_| word.is_some()) {
                Some(after) => self.rest = after.trim_start_matches(is_space),
                None => self.rest = start,
            }
        }
    }
}
