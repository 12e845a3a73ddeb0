//! Reports that the master may not have: a connection that ends takes what was under way with it.

use std::collections::VecDeque;

use bytes::Bytes;

/// The messages, until the master has said that it has them.
#[derive(Debug, Default)]
pub struct Kept {
    reports: VecDeque<Report>,
    bytes: usize,
}

#[derive(Debug)]
struct Report {
    sequence: u64,
    message: Bytes,
    times_sent_again: u32,
}

impl Kept {
    /// Three minutes of reports. A master that is away for longer is told of what came after.
    const MOST: usize = 64;
    const MOST_BYTES: usize = 32 << 20;
    /// A master that still misses a report then has refused it, as one that is too large for it, and said so.
    const MOST_AGAIN: u32 = 20;

    /// Keep a report by its number.
    pub fn keep(&mut self, sequence: u64, message: Bytes) {
        self.bytes += message.len();
        self.reports.push_back(Report { sequence, message, times_sent_again: 0 });
        while self.reports.len() > Self::MOST || self.bytes > Self::MOST_BYTES {
            self.forget_first();
        }
    }

    /// The master has all reports up to this one but those that are missing: they are to be sent again.
    pub fn answered(&mut self, up_to: u64, missing: &[u64]) -> Vec<Bytes> {
        let is_done = |report: &Report| {
            let has_it = report.sequence <= up_to && !missing.contains(&report.sequence);
            has_it || report.times_sent_again == Self::MOST_AGAIN
        };
        while self.reports.front().is_some_and(is_done) {
            self.forget_first();
        }
        let again = self
            .reports
            .iter_mut()
            .filter(|report| missing.contains(&report.sequence) && report.times_sent_again < Self::MOST_AGAIN);
        let sent = again.map(|report| {
            report.times_sent_again += 1;
            report.message.clone()
        });
        sent.collect()
    }

    fn forget_first(&mut self) {
        if let Some(report) = self.reports.pop_front() {
            self.bytes -= report.message.len();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(sequences: impl IntoIterator<Item = u64>) -> Kept {
        let mut kept = Kept::default();
        sequences.into_iter().for_each(|sequence| kept.keep(sequence, Bytes::from(vec![sequence as u8; 10])));
        kept
    }

    fn again(kept: &mut Kept, up_to: u64, missing: &[u64]) -> Vec<u8> {
        kept.answered(up_to, missing).iter().map(|message| message[0]).collect()
    }

    #[test]
    fn what_the_master_has_is_forgotten_and_what_it_misses_sent_again() {
        let mut kept = kept(1..=6);
        assert_eq!(again(&mut kept, 2, &[]), [0; 0]);
        assert_eq!(again(&mut kept, 5, &[4, 5]), [4, 5]);
        assert_eq!(again(&mut kept, 5, &[1, 4, 9]), [4]);
        assert_eq!(again(&mut kept, 6, &[]), [0; 0]);
        assert_eq!((kept.reports.len(), kept.bytes), (0, 0));
    }

    #[test]
    fn a_report_that_is_refused_is_not_sent_for_ever() {
        let mut kept = kept(1..=3);
        let sent = (0..100).map(|_| again(&mut kept, 3, &[2]).len()).sum::<usize>();
        assert_eq!((sent, kept.reports.len()), (Kept::MOST_AGAIN as usize, 0));
    }

    #[test]
    fn no_more_is_kept_than_there_is_room_for() {
        let mut kept = kept(1..=100);
        assert_eq!((kept.reports.len(), kept.bytes), (Kept::MOST, Kept::MOST * 10));
        kept.keep(101, Bytes::from(vec![0; Kept::MOST_BYTES]));
        assert_eq!((kept.reports.len(), kept.bytes), (1, Kept::MOST_BYTES));
    }
}
