//! How many lines of the log the messages of workers may cause: anybody can send a thousand wrong ones a second.

/// So many at once, and so many a second from then on. What is over is counted.
#[derive(Debug)]
pub struct Allowance {
    left: f64,
    refilled: Option<f64>,
    left_out: u64,
}

impl Default for Allowance {
    fn default() -> Self {
        Self { left: Self::AT_ONCE, refilled: None, left_out: 0 }
    }
}

impl Allowance {
    const AT_ONCE: f64 = 100.0;
    const A_SECOND: f64 = 10.0;

    /// Whether one more may be said.
    pub fn ask(&mut self) -> bool {
        let may = self.left >= 1.0;
        if may {
            self.left -= 1.0;
        } else {
            self.left_out += 1;
        }
        may
    }

    /// Time has passed; it is now so many seconds after some moment. How many lines were left out since the last time.
    pub fn refill(&mut self, now: f64) -> u64 {
        let passed = self.refilled.replace(now).map_or(0.0, |before| (now - before).max(0.0));
        self.left = (self.left + passed * Self::A_SECOND).min(Self::AT_ONCE);
        std::mem::take(&mut self.left_out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_at_once_and_so_many_a_second() {
        let mut allowance = Allowance::default();
        let mut said = |times: u32| (0..times).filter(|_| allowance.ask()).count();
        assert_eq!(said(1000), 100);
        assert_eq!((allowance.refill(5.0), allowance.refill(5.0)), (900, 0));
        assert!(!allowance.ask());
        allowance.refill(7.5);
        let mut said = |times: u32| (0..times).filter(|_| allowance.ask()).count();
        assert_eq!(said(1000), 25);
        // A clock that was set back gives nothing and takes nothing.
        assert_eq!((allowance.refill(1.0), allowance.ask()), (975, false));
        allowance.refill(1e9);
        let mut said = |times: u32| (0..times).filter(|_| allowance.ask()).count();
        assert_eq!(said(1000), 100);
    }
}
