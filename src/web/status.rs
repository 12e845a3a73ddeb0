//! What the page shows beside what is counted: Python tells it whenever it changes.

use serde_json::{Map, Value, json};

use crate::verdict::Session;

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
    /// In seconds.
    pub run_time: Option<f64>,
    /// When that will be over, in seconds of the Unix epoch.
    pub ends: Option<f64>,
    /// How many have begun, and how many are to.
    pub iterations: Option<(u64, u64)>,
    pub seed: Option<u64>,
    /// How many workers can run users, of a master; `None` where all users run in this process.
    pub worker_count: Option<usize>,
}

impl Status {
    /// Whether a test runs, begins or ends.
    pub fn is_active(&self) -> bool {
        matches!(self.state.as_str(), "spawning" | "running" | "cleanup" | "stopping")
    }

    /// As the page has it, with what is recorded of runs: their number, and the present one's start and end. Figures that
    /// change with time are not in it.
    pub fn to_json(&self, session: &Session) -> Value {
        let (run, runs) = (session.run(), session.runs());
        let present = runs["runs"].as_array().and_then(|runs| runs.last()).unwrap_or(&Value::Null);
        let classes = self.user_classes.iter().map(|(name, users)| (name.clone(), (*users).into()));
        json!({
            "state": self.state,
            "host": self.host,
            "locustfile": self.locustfile,
            "target_user_count": self.target_user_count,
            "spawn_rate": self.spawn_rate,
            "user_classes": classes.collect::<Map<_, _>>(),
            "worker_count": self.worker_count.unwrap_or(0),
            "is_distributed": self.worker_count.is_some(),
            "run": run,
            "started": present["started"],
            "ended": present["ended"],
            "run_time_s": self.run_time,
            "ends": self.ends,
            "profile": self.profile,
            "shape": self.shape,
            "iterations": self.iterations.map(|(begun, limit)| [begun, limit]),
            "seed": self.seed,
            "version": env!("CARGO_PKG_VERSION"),
        })
    }
}
