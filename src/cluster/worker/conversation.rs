//! When a worker says what: its call for the master, heartbeats, reports, and its judgement of a master that is silent.
//!
//! It takes `now` and sends nothing: the thread around it does, and sleeps until [`Conversation::next`].

use std::time::{Duration, Instant};

/// How often a worker does what. Locustfiles change them, at any time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Intervals {
    /// How long an answer to the first call may take.
    pub answer: Duration,
    pub heartbeat: Duration,
    pub report: Duration,
    /// Between two samples of what the process uses.
    pub usage: Duration,
    /// After how much silence of the master the worker gives up.
    pub silence: Duration,
    /// How many calls after the first may find no answer.
    pub calls: u32,
}

impl Default for Intervals {
    fn default() -> Self {
        let [answer, heartbeat, report, usage, silence] = [5, 1, 3, 10, 60].map(Duration::from_secs);
        Self { answer, heartbeat, report, usage, silence, calls: 60 }
    }
}

/// What is to be done now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Due {
    /// Call for the master: `client_ready`.
    Call,
    /// So many calls found no answer.
    Unanswered(u32),
    Heartbeat,
    Report,
    Sample,
    /// The master has been silent for too long.
    Silence,
}

#[derive(Debug)]
pub struct Conversation {
    calls: u32,
    next_call: Option<Instant>,
    /// Heartbeat, report, sample; from the first answer on.
    next: Option<[Instant; 3]>,
    /// When the master last answered a heartbeat.
    heard: Option<Instant>,
    looked: Instant,
    gave_up: bool,
    /// When the master was last called because it seems to have forgotten this worker, and why, until it has answered.
    recalled: Option<Instant>,
    again: Again,
}

/// Why an acknowledgement comes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Again {
    #[default]
    First,
    /// The master had been silent, and may be another one.
    Silent,
    /// The master had said that it does not know this worker.
    Forgotten,
}

impl Conversation {
    /// How long a pause of this thread is its own and not the master's: the process was stopped, or the machine slept.
    const GAP: Duration = Duration::from_secs(5);
    /// Between two calls for a master that seems to have forgotten this worker.
    const RECALL: Duration = Duration::from_secs(10);
    /// As above, where the master itself asks for it, once a heartbeat.
    const ASKED: Duration = Duration::from_secs(2);

    pub fn new(now: Instant) -> Self {
        Self {
            calls: 0,
            next_call: Some(now),
            next: None,
            heard: None,
            looked: now,
            gave_up: false,
            recalled: None,
            again: Again::First,
        }
    }

    /// When [`Conversation::due`] is to be asked next.
    pub fn next(&self) -> Option<Instant> {
        let regular = self.next.into_iter().flatten().min();
        [self.next_call, regular].into_iter().flatten().min()
    }

    /// Everything that is due.
    pub fn due(&mut self, now: Instant, intervals: &Intervals) -> Vec<Due> {
        let mut due = Vec::new();
        if self.next_call.is_some_and(|at| at <= now) {
            if self.calls > 0 {
                due.push(Due::Unanswered(self.calls));
            }
            self.next_call = None;
            if self.calls <= intervals.calls {
                self.calls += 1;
                self.next_call = Some(now + intervals.answer);
                due.push(Due::Call);
            }
        }
        if let Some(next) = &mut self.next {
            let each = [
                (Due::Heartbeat, intervals.heartbeat),
                (Due::Report, intervals.report),
                (Due::Sample, intervals.usage),
            ];
            for (at, (what, interval)) in next.iter_mut().zip(each) {
                if *at <= now {
                    *at = now + interval;
                    due.push(what);
                }
            }
        }
        due.extend(self.judge(now, intervals));
        due
    }

    /// What the master's silence means by now. A worker that never had a heartbeat answered waits for ever.
    fn judge(&mut self, now: Instant, intervals: &Intervals) -> Option<Due> {
        let gap = now.saturating_duration_since(self.looked);
        self.looked = now;
        if gap > Self::GAP + intervals.heartbeat {
            self.heard = self.heard.map(|heard| heard + gap);
        }
        let silence = now.saturating_duration_since(self.heard?);
        if self.gave_up {
            return None;
        }
        if silence > intervals.silence {
            self.gave_up = true;
            return Some(Due::Silence);
        }
        // It may be another master, which does not know this worker and so does not answer it.
        (silence > intervals.silence / 2 && self.may_recall(now, Self::RECALL)).then(|| self.recall(now, Again::Silent))
    }

    fn may_recall(&self, now: Instant, pause: Duration) -> bool {
        self.recalled.is_none_or(|at| at + pause <= now)
    }

    fn recall(&mut self, now: Instant, why: Again) -> Due {
        self.recalled = Some(now);
        self.again = why;
        Due::Call
    }

    /// The master says that it does not know this worker.
    pub fn forgotten(&mut self, now: Instant) -> Option<Due> {
        (self.next.is_some() && self.may_recall(now, Self::ASKED)).then(|| self.recall(now, Again::Forgotten))
    }

    /// It has called the master by itself: what that says of not knowing it may have been said before.
    pub fn called(&mut self, now: Instant) {
        self.recalled = Some(now);
    }

    /// The master has acknowledged a call.
    pub fn acknowledged(&mut self, now: Instant, intervals: &Intervals) -> Again {
        self.next_call = None;
        // The first sample is one of a whole interval: before that nothing is known.
        self.next.get_or_insert([now, now, now + intervals.usage]);
        std::mem::take(&mut self.again)
    }

    /// Nothing is due any more.
    pub fn fall_silent(&mut self) {
        *self = Self { next_call: None, ..Self::new(self.looked) };
    }

    /// The master need not answer now: it forgets a worker that has stopped until that says that it is ready again.
    pub fn excuse(&mut self, now: Instant) {
        self.heard = self.heard.map(|_| now);
    }

    /// The master has answered a heartbeat.
    pub fn answered(&mut self, now: Instant) {
        self.heard = Some(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A conversation at second 0, and what is due at each of these seconds.
    struct Talk(Conversation, Instant);

    impl Talk {
        fn new() -> Self {
            let now = Instant::now();
            Self(Conversation::new(now), now)
        }

        fn at(&self, second: u64) -> Instant {
            self.1 + Duration::from_secs(second)
        }

        fn due(&mut self, second: u64) -> Vec<Due> {
            let now = self.at(second);
            self.0.due(now, &Intervals::default())
        }

        fn acknowledged(&mut self, second: u64) -> Again {
            let now = self.at(second);
            self.0.acknowledged(now, &Intervals::default())
        }

        fn answered(&mut self, second: u64) {
            let now = self.at(second);
            self.0.answered(now);
        }

        /// What beside heartbeats, reports and samples is due in these seconds, and when.
        fn special(&mut self, seconds: std::ops::RangeInclusive<u64>) -> Vec<(u64, Due)> {
            let regular = [Due::Heartbeat, Due::Report, Due::Sample];
            let due = seconds
                .flat_map(|second| self.due(second).into_iter().map(move |due| (second, due)).collect::<Vec<_>>());
            due.filter(|(_, due)| !regular.contains(due)).collect()
        }
    }

    #[test]
    fn it_calls_until_it_is_acknowledged_and_begins_then() {
        let mut talk = Talk::new();
        assert_eq!(talk.due(0), [Due::Call]);
        assert!(talk.due(4).is_empty());
        assert_eq!(talk.due(5), [Due::Unanswered(1), Due::Call]);
        assert_eq!(talk.acknowledged(6), Again::First);
        assert_eq!(talk.due(6), [Due::Heartbeat, Due::Report]);
        assert_eq!(talk.due(7), [Due::Heartbeat]);
        assert_eq!(talk.due(9), [Due::Heartbeat, Due::Report]);
        assert_eq!(talk.due(16), [Due::Heartbeat, Due::Report, Due::Sample]);
        assert_eq!(talk.0.next(), Some(talk.at(17)));
    }

    #[test]
    fn it_calls_so_many_times_and_no_more() {
        let mut talk = Talk::new();
        let due: Vec<_> = (0..=310).flat_map(|second| talk.due(second)).collect();
        assert_eq!(due.iter().filter(|due| **due == Due::Call).count(), 61);
        assert_eq!(due.last(), Some(&Due::Unanswered(61)));
        assert_eq!(talk.0.next(), None);
    }

    #[test]
    fn a_master_that_falls_silent_is_called_and_given_up_later() {
        let mut talk = Talk::new();
        talk.acknowledged(0);
        talk.answered(1);
        let due = talk.special(1..=70);
        assert_eq!(due, [(32, Due::Call), (42, Due::Call), (52, Due::Call), (62, Due::Silence)]);
        assert_eq!([talk.acknowledged(71), talk.acknowledged(72)], [Again::Silent, Again::First]);
    }

    #[test]
    fn a_master_that_is_excused_is_no_silent_one() {
        let mut talk = Talk::new();
        talk.acknowledged(0);
        talk.answered(1);
        for second in 2..=90 {
            let now = talk.at(second);
            talk.0.excuse(now);
            assert!(talk.special(second..=second).is_empty());
        }
        assert_eq!(talk.special(91..=125), [(121, Due::Call)]);
    }

    #[test]
    fn a_master_that_never_answered_a_heartbeat_is_no_silent_one() {
        let mut talk = Talk::new();
        talk.due(0);
        talk.acknowledged(0);
        assert!(talk.special(1..=200).is_empty());
    }

    #[test]
    fn a_pause_of_its_own_is_not_the_master_s() {
        let mut talk = Talk::new();
        talk.acknowledged(0);
        talk.answered(1);
        assert!(talk.special(1..=10).is_empty());
        assert!(talk.special(100..=110).is_empty());
    }

    #[test]
    fn who_is_at_the_end_says_nothing_by_itself() {
        let mut talk = Talk::new();
        talk.acknowledged(0);
        talk.answered(1);
        talk.0.fall_silent();
        assert!((2..100).all(|second| talk.due(second).is_empty()));
        assert_eq!(talk.0.next(), None);
    }

    #[test]
    fn who_has_just_called_does_not_call_again() {
        let mut talk = Talk::new();
        talk.acknowledged(0);
        let now = talk.at(1);
        talk.0.called(now);
        for second in [1, 2] {
            let now = talk.at(second);
            assert_eq!(talk.0.forgotten(now), None);
        }
        assert_eq!(talk.acknowledged(2), Again::First);
        let later = talk.at(3);
        assert_eq!(talk.0.forgotten(later), Some(Due::Call));
    }

    #[test]
    fn a_master_that_does_not_know_it_is_called_once() {
        let mut talk = Talk::new();
        let forgotten = |talk: &mut Talk, second| {
            let now = talk.at(second);
            talk.0.forgotten(now)
        };
        assert_eq!(forgotten(&mut talk, 0), None);
        talk.acknowledged(0);
        assert_eq!([1, 2, 3].map(|second| forgotten(&mut talk, second)), [Some(Due::Call), None, Some(Due::Call)]);
        assert_eq!(talk.acknowledged(4), Again::Forgotten);
    }
}
