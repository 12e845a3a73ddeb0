//! What this process takes from the machine, for heartbeats: they go out while Python computes.

use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};

/// Measures from one sample to the next, the first one from the meter's creation.
#[derive(Debug)]
pub struct Meter {
    at: Instant,
    cpu: Duration,
}

/// A sample: nothing yet by default, as a worker says that has just begun.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Usage {
    /// Percent of one core, of all threads together: on four cores it may be 400.
    pub cpu: f64,
    /// Resident bytes; 0 where the system does not tell.
    pub memory: u64,
}

impl Meter {
    pub fn new() -> Self {
        Self { at: Instant::now(), cpu: cpu_time() }
    }

    pub fn sample(&mut self) -> Usage {
        let now = Self::new();
        let elapsed = now.at.duration_since(self.at).as_secs_f64().max(1e-9);
        let cpu = 100.0 * now.cpu.saturating_sub(self.cpu).as_secs_f64() / elapsed;
        *self = now;
        Usage { cpu, memory: resident_bytes().unwrap_or(0) }
    }
}

impl Default for Meter {
    fn default() -> Self {
        Self::new()
    }
}

fn cpu_time() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec.try_into().unwrap_or(0), time.tv_nsec.try_into().unwrap_or(0))
}

fn resident_bytes() -> Option<u64> {
    let statm = std::fs::read_to_string("/proc/self/statm").ok()?;
    let pages: u64 = statm.split_whitespace().nth(1)?.parse().ok()?;
    Some(pages * rustix::param::page_size() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_busy_process_says_so() {
        let mut meter = Meter::new();
        let began = cpu_time();
        while cpu_time() < began + Duration::from_millis(20) {}
        let usage = meter.sample();
        assert!(usage.cpu > 0.0 && usage.cpu.is_finite());
        assert!(usage.memory > 1 << 20 || !cfg!(target_os = "linux"));
    }
}
