//! What a terminal shows while a test runs: a few lines at its bottom that change twice a second, under the log lines.
//!
//! The lines are made of a [`Moment`], which is a plain value, for a width. Of each as much is shown as fits. They are drawn
//! by a few escape sequences of our own: indicatif fills every line with blanks up to the last column, so all of them wrap
//! when a terminal becomes narrower, and ratatui asks where the cursor is and reads the answer from the keyboard.

use std::collections::VecDeque;
use std::io::{self, Write as _};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::background::Background;
use crate::clock::now;
use crate::stats::{Row, Table};
use crate::sync::held;

const INTERVAL: Duration = Duration::from_millis(500);
/// Seconds that the percentiles are over.
const WINDOW: i64 = 10;
const LABEL: usize = 11;
const BAR: usize = 20;

/// How far the test has got, as only Python knows it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Progress {
    /// `spawning`, `running`, …
    pub state: String,
    pub target_users: u64,
    /// How many tasks have begun, and how many are to, with `--iterations`.
    pub iterations: Option<(u64, u64)>,
}

/// What is shown at one moment.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Moment {
    pub progress: Progress,
    pub users: u64,
    pub elapsed: Duration,
    pub run_time: Option<Duration>,
    pub requests: u64,
    pub rps: f64,
    pub failures: u64,
    pub fail_ratio: f64,
    pub failures_per_second: f64,
    /// 50 %, 95 % and 99 % of the last seconds, in milliseconds.
    pub percentiles: Option<[u64; 3]>,
    /// The 99 % of the generator lag in milliseconds, and whether it is worth a warning.
    pub lag: Option<(f64, bool)>,
}

/// How many requests and failures there were at some moments of the last seconds, the oldest first.
///
/// The rows' own rates leave the newest seconds out, which is right for a figure that is kept, and a view that stays at
/// zero for three seconds and does not fall when requests stop.
#[derive(Debug, Default)]
struct Recent(VecDeque<(Duration, u64, u64)>);

impl Recent {
    /// Requests and failures per second up to this moment.
    fn rates(&mut self, elapsed: Duration, requests: u64, failures: u64) -> (f64, f64) {
        if self.0.back().is_some_and(|(_, before, _)| requests < *before) {
            self.0.clear(); // the statistics began anew
        }
        self.0.push_back((elapsed, requests, failures));
        let window = Duration::from_secs(WINDOW as u64);
        while self.0.len() > 2 && self.0[1].0 + window <= elapsed {
            self.0.pop_front();
        }
        let (from, requests_then, failures_then) = self.0[0];
        let per_second = |count: u64| count as f64 / elapsed.saturating_sub(from).as_secs_f64().max(1e-3);
        (per_second(requests - requests_then), per_second(failures.saturating_sub(failures_then)))
    }
}

impl Moment {
    fn of(
        table: &Table,
        progress: Progress,
        elapsed: Duration,
        run_time: Option<Duration>,
        recently: &mut Recent,
    ) -> Self {
        let total = table.total();
        let parts = total.parts();
        let (rps, failures_per_second) = recently.rates(elapsed, parts.num_requests, parts.num_failures);
        let lag = table.lag();
        let is_slow = || lag.warning(total.median_response_time().as_f64()).is_some();
        Self {
            progress,
            users: table.user_count(),
            elapsed,
            run_time,
            requests: parts.num_requests,
            rps,
            failures: parts.num_failures,
            fail_ratio: total.fail_ratio(),
            failures_per_second,
            percentiles: (!parts.response_times.is_empty()).then(|| recent(total)),
            lag: (lag.count() > 0).then(|| (lag.percentile_ms(0.99), is_slow())),
        }
    }

    /// What part of the test is over, where that is known.
    fn share(&self) -> Option<f64> {
        let of_time = self.run_time.map(|run_time| self.elapsed.as_secs_f64() / run_time.as_secs_f64().max(1e-9));
        let of_tasks = self.progress.iterations.map(|(begun, all)| begun as f64 / (all as f64).max(1.0));
        of_time.into_iter().chain(of_tasks).reduce(f64::max).map(|share| share.min(1.0))
    }
}

fn recent(row: &Row) -> [u64; 3] {
    [0.5, 0.95, 0.99].map(|quantile| match row.current_percentile(now(), WINDOW, quantile) {
        Ok(Some(recent)) => recent,
        _ => row.percentile(quantile),
    })
}

/// A line, and how many columns it takes.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    shown: String,
    width: usize,
}

/// The lines for a terminal so wide. `colours`: whether it may have any.
pub fn lines(moment: &Moment, width: usize, colours: bool) -> Vec<Line> {
    let shown = vec![
        ("", Vec::new()),
        ("Users", users(moment)),
        ("Requests", requests(moment)),
        ("Response", response(moment)),
        ("Generator", generator(moment)),
    ];
    shown.into_iter().map(|(label, parts)| fitting(label, &parts, width, colours)).collect()
}

/// Something to show, and how.
struct Part(String, Tone);

#[derive(Clone, Copy, PartialEq)]
enum Tone {
    Plain,
    Dim,
    Bad,
    Careful,
}

fn users(moment: &Moment) -> Vec<Part> {
    let target = moment.progress.target_users;
    let users = if target <= moment.users && moment.progress.state != "cleanup" {
        moment.users.to_string()
    } else {
        format!("{} of {target}", moment.users)
    };
    let mut parts = vec![Part(users, Tone::Plain)];
    if !moment.progress.state.is_empty() {
        parts.push(Part(moment.progress.state.clone(), Tone::Dim));
    }
    let elapsed = clock(moment.elapsed);
    parts.push(match moment.run_time {
        Some(run_time) => Part(format!("{elapsed} of {}", clock(run_time)), Tone::Plain),
        None => Part(elapsed, Tone::Plain),
    });
    if let Some((begun, all)) = moment.progress.iterations {
        parts.push(Part(format!("{} of {} iterations", grouped(begun), grouped(all)), Tone::Plain));
    }
    parts.extend(moment.share().map(|share| Part(bar(share), Tone::Dim)));
    parts
}

fn requests(moment: &Moment) -> Vec<Part> {
    let rates = Part(format!("{:.1}/s", moment.rps), Tone::Plain);
    let failed = match moment.failures {
        0 => Part("none failed".into(), Tone::Dim),
        count => {
            let (share, rate) = (moment.fail_ratio * 100.0, moment.failures_per_second);
            Part(format!("{} failed ({share:.2} %, {rate:.1}/s)", grouped(count)), Tone::Bad)
        }
    };
    vec![Part(grouped(moment.requests), Tone::Plain), rates, failed]
}

fn response(moment: &Moment) -> Vec<Part> {
    let Some(percentiles) = moment.percentiles else { return vec![Part("no times yet".into(), Tone::Dim)] };
    let shown = ["50%", "95%", "99%"].into_iter().zip(percentiles);
    let times = shown.map(|(label, time)| Part(format!("{label} {} ms", grouped(time)), Tone::Plain));
    times.chain([Part(format!("of the last {WINDOW} s"), Tone::Dim)]).collect()
}

fn generator(moment: &Moment) -> Vec<Part> {
    match moment.lag {
        None => vec![Part("no lag yet".into(), Tone::Dim)],
        Some((lag, is_slow)) => {
            let shown = if lag < 10.0 { format!("lag 99% {lag:.1} ms") } else { format!("lag 99% {lag:.0} ms") };
            let slow = is_slow.then(|| Part("responses wait for Python: it is the limit".into(), Tone::Careful));
            [Part(shown, Tone::Plain)].into_iter().chain(slow).collect()
        }
    }
}

/// A label and as many parts after it as there is room for; of the first as much as there is.
fn fitting(label: &str, parts: &[Part], width: usize, colours: bool) -> Line {
    // A line that fills the last column makes some terminals begin another.
    let width = width.saturating_sub(1);
    let indent = if width < LABEL + 12 { 0 } else { LABEL };
    let mut line = if indent == 0 || parts.is_empty() {
        String::new()
    } else {
        painted(&format!("{label:<LABEL$}"), Tone::Dim, colours)
    };
    let mut used = indent;
    for (place, Part(text, tone)) in parts.iter().enumerate() {
        let gap = if place == 0 { 0 } else { 3 };
        let length = text.chars().count();
        if place == 0 && length > width - used {
            line += &text.chars().take(width - used).collect::<String>();
            used = width;
            break;
        }
        if used + gap + length > width {
            break;
        }
        line += &" ".repeat(gap);
        line += &painted(text, *tone, colours);
        used += gap + length;
    }
    Line { shown: line, width: if parts.is_empty() { 0 } else { used } }
}

fn painted(text: &str, tone: Tone, colours: bool) -> String {
    let code = match tone {
        Tone::Plain => return text.to_owned(),
        Tone::Dim => 2,
        Tone::Bad => 31,
        Tone::Careful => 33,
    };
    if colours { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
}

fn bar(share: f64) -> String {
    let full = (share * BAR as f64) as usize;
    format!("{}{} {:>3.0} %", "█".repeat(full), "░".repeat(BAR - full), (share * 100.0).floor())
}

/// `1:05`, `2:00:00`.
fn clock(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    if hours > 0 { format!("{hours}:{minutes:02}:{seconds:02}") } else { format!("{minutes}:{seconds:02}") }
}

/// `12 345`.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) && digits.len() > 4 {
            text.push(' ');
        }
        text.push(digit);
    }
    text
}

/// Lines at the bottom of a terminal: what has to be written to draw them and to take them away.
#[derive(Debug, Default)]
struct Painter {
    /// How wide each line is that stands there now; the cursor is behind the last.
    drawn: Vec<usize>,
}

impl Painter {
    /// A terminal that has become narrower since has wrapped what was drawn.
    fn erase(&mut self, columns: usize) -> String {
        let rows: usize = self.drawn.drain(..).map(|width| width.div_ceil(columns).max(1)).sum();
        match rows {
            0 => String::new(),
            1 => "\r\x1b[J".into(),
            rows => format!("\r\x1b[{}A\x1b[J", rows - 1),
        }
    }

    fn draw(&mut self, lines: &[Line], rows: usize) -> String {
        let lines = &lines[..lines.len().min(rows.saturating_sub(1))];
        self.drawn = lines.iter().map(|line| line.width).collect();
        lines.iter().map(|line| line.shown.as_str()).collect::<Vec<_>>().join("\r\n")
    }
}

/// The lines on the terminal behind stderr, kept up to date by a thread of their own.
#[derive(Debug)]
pub struct LiveView {
    screen: Arc<Mutex<Screen>>,
    progress: Arc<Mutex<Progress>>,
    thread: Mutex<Option<Background>>,
}

#[derive(Debug, Default)]
struct Screen {
    painter: Painter,
    moment: Moment,
    colours: bool,
    /// Somebody may still have the stream that writes above the lines.
    is_closed: bool,
}

impl Screen {
    /// Take the lines away, have something done, and draw them again: in one go, where the terminal can.
    fn around(&mut self, work: impl FnOnce() -> io::Result<()>) -> io::Result<()> {
        if self.is_closed {
            return work();
        }
        let (columns, rows) = size();
        let mut terminal = io::stderr().lock();
        terminal.write_all(format!("\x1b[?2026h{}", self.painter.erase(columns)).as_bytes())?;
        drop(terminal);
        let done = work();
        let drawn = self.painter.draw(&lines(&self.moment, columns, self.colours), rows);
        io::stderr().write_all(format!("{drawn}\x1b[?2026l").as_bytes())?;
        done
    }
}

impl LiveView {
    pub fn start(table: Arc<Mutex<Table>>, run_time: Option<Duration>) -> io::Result<Self> {
        let colours = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        let screen = Arc::new(Mutex::new(Screen { colours, ..Screen::default() }));
        let progress = Arc::new(Mutex::new(Progress::default()));
        let (drawn, known, began) = (Arc::clone(&screen), Arc::clone(&progress), Instant::now());
        let mut recently = Recent::default();
        let thread = Background::start("live view", INTERVAL, move || {
            let progress = held(&known).clone();
            let moment = Moment::of(&held(&table), progress, began.elapsed(), run_time, &mut recently);
            let screen = &mut *held(&drawn);
            screen.moment = moment;
            // A terminal that is gone shows nothing; the run goes on.
            let _ = screen.around(|| Ok(()));
        })?;
        Ok(Self { screen, progress, thread: Mutex::new(Some(thread)) })
    }

    pub fn update(&self, progress: Progress) {
        *held(&self.progress) = progress;
    }

    /// Write above the lines. What is written ends with the end of a line.
    pub fn write(&self, text: &[u8], to_stdout: bool) -> io::Result<()> {
        held(&self.screen).around(|| {
            if to_stdout {
                let mut stdout = io::stdout().lock();
                return stdout.write_all(text).and_then(|()| stdout.flush());
            }
            io::stderr().write_all(text)
        })
    }

    /// Take the lines away, once and for all.
    pub fn close(&self) {
        drop(held(&self.thread).take());
        let screen = &mut *held(&self.screen);
        screen.is_closed = true;
        let erased = screen.painter.erase(size().0);
        // Where the terminal is gone there is nothing to take away.
        let _ = io::stderr().write_all(erased.as_bytes());
    }
}

/// How wide and how high the terminal is now.
fn size() -> (usize, usize) {
    let size = rustix::termios::tcgetwinsize(io::stderr()).ok().filter(|size| size.ws_col > 0 && size.ws_row > 0);
    size.map_or((80, 24), |size| (usize::from(size.ws_col), usize::from(size.ws_row)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn moment() -> Moment {
        Moment {
            progress: Progress { state: "running".into(), target_users: 50, iterations: None },
            users: 50,
            elapsed: Duration::from_secs(83),
            run_time: Some(Duration::from_mins(5)),
            requests: 12_345,
            rps: 148.73,
            failures: 12,
            fail_ratio: 12.0 / 12_345.0,
            failures_per_second: 0.2,
            percentiles: Some([12, 41, 1234]),
            lag: Some((0.34, false)),
        }
    }

    fn text(moment: &Moment, width: usize) -> String {
        lines(moment, width, false).into_iter().map(|line| line.shown).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn the_view_of_a_run() {
        insta::assert_snapshot!(text(&moment(), 100), @r"

        Users      50   running   1:23 of 5:00   █████░░░░░░░░░░░░░░░  27 %
        Requests   12 345   148.7/s   12 failed (0.10 %, 0.2/s)
        Response   50% 12 ms   95% 41 ms   99% 1234 ms   of the last 10 s
        Generator  lag 99% 0.3 ms
        ");
    }

    #[test]
    fn the_view_of_its_beginning_and_of_one_with_iterations() {
        insta::assert_snapshot!(text(&Moment::default(), 100), @r"

        Users      0   0:00
        Requests   0   0.0/s   none failed
        Response   no times yet
        Generator  no lag yet
        ");
        let progress = Progress { state: "spawning".into(), target_users: 80, iterations: Some((2500, 10_000)) };
        let moment = Moment { progress, run_time: None, lag: Some((37.2, true)), ..moment() };
        insta::assert_snapshot!(text(&moment, 100), @r"

        Users      50 of 80   spawning   1:23   2500 of 10 000 iterations   █████░░░░░░░░░░░░░░░  25 %
        Requests   12 345   148.7/s   12 failed (0.10 %, 0.2/s)
        Response   50% 12 ms   95% 41 ms   99% 1234 ms   of the last 10 s
        Generator  lag 99% 37 ms   responses wait for Python: it is the limit
        ");
    }

    #[test]
    fn a_narrow_terminal_shows_what_fits() {
        insta::assert_snapshot!(text(&moment(), 40), @r"

        Users      50   running   1:23 of 5:00
        Requests   12 345   148.7/s
        Response   50% 12 ms   95% 41 ms
        Generator  lag 99% 0.3 ms
        ");
        insta::assert_snapshot!(text(&moment(), 12), @r"

        50
        12 345
        50% 12 ms
        lag 99% 0.3
        ");
    }

    #[test]
    fn rates_are_those_of_the_last_seconds() {
        let mut recently = Recent::default();
        let mut at = |seconds, requests| recently.rates(Duration::from_secs(seconds), requests, requests / 2);
        assert_eq!(at(0, 0), (0.0, 0.0));
        assert_eq!(at(1, 100), (100.0, 50.0));
        (2..=30).for_each(|second| assert_eq!(at(second, second * 100).0, 100.0));
        for second in 31..=40 {
            at(second, 3000);
        }
        assert_eq!(at(41, 3000), (0.0, 0.0));
        assert_eq!(at(42, 10), (0.0, 0.0), "begun anew");
        assert_eq!(at(43, 20), (10.0, 5.0));
    }

    #[test]
    fn what_was_drawn_is_taken_away_also_where_it_wrapped() {
        let line = |width: usize| Line { shown: "x".repeat(width), width };
        let mut painter = Painter::default();
        assert_eq!(painter.erase(80), "");
        assert_eq!(
            painter.draw(&[line(0), line(30), line(10)], 24),
            format!("\r\n{}\r\n{}", "x".repeat(30), "x".repeat(10))
        );
        assert_eq!(painter.erase(80), "\r\x1b[2A\x1b[J");
        painter.draw(&[line(0), line(30), line(10)], 24);
        assert_eq!(painter.erase(20), "\r\x1b[3A\x1b[J");
        painter.draw(&[line(3), line(3)], 2);
        assert_eq!(painter.erase(80), "\r\x1b[J");
    }

    proptest! {
        #[test]
        fn no_line_is_wider_than_the_terminal(width in 1..200_usize, requests in any::<u64>(), slow in any::<bool>()) {
            let moment = Moment { requests, lag: Some((1.0, slow)), ..moment() };
            for line in lines(&moment, width, false) {
                prop_assert_eq!(line.shown.chars().count(), line.width);
                prop_assert!(line.width < width);
            }
        }
    }
}
