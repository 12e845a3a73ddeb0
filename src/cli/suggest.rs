//! "Did you mean": the nearest known option, by the measure that Python's difflib takes.

/// Below this likeness nothing is suggested.
const CUTOFF: f64 = 0.6;

pub fn nearest<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let rated =
        known.map(|candidate| (likeness(candidate, word), candidate)).filter(|(likeness, _)| *likeness >= CUTOFF);
    rated.max_by(|a, b| a.partial_cmp(b).unwrap_or(std::cmp::Ordering::Equal)).map(|(_, candidate)| candidate)
}

/// Twice the letters in common over all letters.
fn likeness(a: &str, b: &str) -> f64 {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    2.0 * in_common(&a, &b) as f64 / (a.len() + b.len()).max(1) as f64
}

/// The longest common run, and what is common before and after it.
fn in_common(a: &[char], b: &[char]) -> usize {
    let run_at = |i: usize, j: usize| a[i..].iter().zip(&b[j..]).take_while(|(x, y)| x == y).count();
    let starts = (0..a.len()).flat_map(|i| (0..b.len()).map(move |j| (i, j)));
    // The first of the longest runs, as difflib takes it.
    let longest = starts.map(|(i, j)| (run_at(i, j), std::cmp::Reverse((i, j)))).max();
    match longest {
        Some((length, std::cmp::Reverse((i, j)))) if length > 0 => {
            in_common(&a[..i], &b[..j]) + length + in_common(&a[i + length..], &b[j + length..])
        }
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn suggests_what_is_alike() {
        let known = ["--users", "--tags", "--headless", "--host"];
        assert_eq!(nearest("--headles", known.into_iter()), Some("--headless"));
        assert_eq!(nearest("--bogus", known.into_iter()), Some("--tags"));
        assert_eq!(nearest("-x", known.into_iter()), None);
    }
}
