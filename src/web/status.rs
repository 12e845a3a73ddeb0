//! What the page shows beside what is counted: Python tells it whenever it changes.

/// The state of the test and what was asked of it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Status {
    /// One of the runner's, as `running`; `missing` before there is a runner.
    pub state: String,
    /// Whether there is a runner.
    pub has_runner: bool,
    pub host: Option<String>,
    pub locustfile: Option<String>,
    /// What names of downloaded files begin with.
    pub download_name: String,
    pub profile: Option<String>,
    pub shape: Option<String>,
    /// How many users there shall be, and how many start in a second.
    pub target_user_count: u64,
    pub spawn_rate: Option<f64>,
    pub user_classes: Vec<(String, u64)>,
    /// Counts the tests of this process, from 1; 0 before the first.
    pub run: u64,
    /// In seconds of the Unix epoch.
    pub started: Option<f64>,
    pub ended: Option<f64>,
    /// In seconds.
    pub run_time: Option<f64>,
    /// How many have begun, and how many are to.
    pub iterations: Option<(u64, u64)>,
    pub seed: Option<u64>,
    /// Those of a master; `None` where all users run in this process.
    pub workers: Option<Vec<Worker>>,
    /// Their last lines of log, by their ids.
    pub worker_logs: std::collections::BTreeMap<String, Vec<String>>,
}

/// Of a master's workers, what it knows of one.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Worker {
    pub id: String,
    pub state: String,
    pub user_count: u64,
    /// Percent of a core.
    pub cpu_usage: f64,
    /// Bytes.
    pub memory_usage: u64,
}

impl Status {
    /// Those that can run users.
    pub fn worker_count(&self) -> usize {
        let able = |worker: &&Worker| matches!(worker.state.as_str(), "ready" | "spawning" | "running");
        self.workers.iter().flatten().filter(able).count()
    }
}
