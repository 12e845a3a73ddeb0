//! The routes that need no Python. All others are handed over.

use serde_json::{Value, json};

use super::answer::Asked;
use super::ready::{Ready, text};
use super::shared::Shared;
use super::{assets, downloads, json, metrics, requests};
use crate::sync::held;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Route {
    Requests,
    Exceptions,
    Logs,
    WorkerCount,
    RequestsCsv,
    HistoryCsv,
    FailuresCsv,
    ExceptionsCsv,
    Asset(String),
    Metrics,
    OpenApi,
    Stream,
    Timeline,
    Runs,
}

/// Who knows a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Whoever comes: there is nothing of the test in it.
    Open,
    /// Locust, too: extensions of its page expect to see these requests.
    Locusts,
    Ours,
}

impl Route {
    /// The route at a path below the base path.
    pub fn of(path: &str) -> Option<Self> {
        Some(match path {
            "/stats/requests" => Self::Requests,
            "/exceptions" => Self::Exceptions,
            "/logs" => Self::Logs,
            "/worker-count" => Self::WorkerCount,
            "/stats/requests/csv" => Self::RequestsCsv,
            "/stats/requests_full_history/csv" => Self::HistoryCsv,
            "/stats/failures/csv" => Self::FailuresCsv,
            "/exceptions/csv" => Self::ExceptionsCsv,
            "/metrics" => Self::Metrics,
            "/openapi.json" => Self::OpenApi,
            "/stream" => Self::Stream,
            "/timeline" => Self::Timeline,
            "/runs" => Self::Runs,
            _ => Self::Asset(path.strip_prefix("/assets/").filter(|name| !name.is_empty())?.to_owned()),
        })
    }

    pub fn kind(&self) -> Kind {
        match self {
            Self::Asset(_) => Kind::Open,
            Self::Metrics | Self::OpenApi | Self::Stream | Self::Timeline | Self::Runs => Kind::Ours,
            _ => Kind::Locusts,
        }
    }

    /// Whether a slow disk could hold up who asks for something else.
    pub fn reads_disk(&self) -> bool {
        matches!(self, Self::HistoryCsv | Self::Asset(_))
    }

    /// What comes of a GET. The stream has no end, and so no answer of this kind.
    pub fn answer(&self, shared: &Shared, asked: &Asked) -> Ready {
        match self {
            Self::Requests => Ready::new(200, "application/json", requests::answer(shared)),
            Self::Exceptions => exceptions(shared),
            Self::Logs => json::ready(json!({"master": shared.lines(), "workers": shared.worker_logs()})),
            Self::WorkerCount => json::ready(json!({"worker_count": shared.status().worker_count.unwrap_or(0)})),
            Self::RequestsCsv => downloads::requests(shared),
            Self::HistoryCsv => downloads::history(shared, asked),
            Self::FailuresCsv => downloads::failures(shared),
            Self::ExceptionsCsv => downloads::exceptions(shared),
            Self::Asset(name) => assets::answer(name, shared, asked),
            Self::Metrics => metrics::answer(shared),
            Self::Timeline => timeline(shared, asked),
            Self::Runs => json::ready(shared.session().runs()),
            Self::OpenApi => openapi(shared),
            Self::Stream => super::ready::not_found(),
        }
    }
}

/// A run over time, or one entry of it.
fn timeline(shared: &Shared, asked: &Asked) -> Ready {
    let session = shared.session();
    let run = match asked.parameter("run").map(|run| run.parse()) {
        Some(Err(_)) => return text(400, "`run` is the number of a run, from 1."),
        Some(Ok(run)) => Some(run),
        None => None,
    };
    let shown = match (asked.parameter("method"), asked.parameter("name")) {
        (None, None) => session.timeline(run),
        (method, name) => session.entry(run, &method.unwrap_or_default(), &name.unwrap_or_default()),
    };
    shown.map_or_else(|| text(404, "There is no such run, or no such entry in it."), json::ready)
}

fn exceptions(shared: &Shared) -> Ready {
    json::ready(json!({"exceptions": requests::exceptions(&held(shared.session().table()))}))
}

/// The description of all routes, those that Python answers among them.
fn openapi(shared: &Shared) -> Ready {
    let mut description: Value =
        serde_json::from_str(include_str!("openapi.json")).expect("the description is JSON, as a test has seen");
    description["info"]["version"] = env!("CARGO_PKG_VERSION").into();
    let base = &shared.settings().base;
    description["servers"] = json!([{"url": if base.is_empty() { "/" } else { base }}]);
    json::ready(description)
}

#[cfg(test)]
mod tests {
    use super::super::shared::tests::shared_of;
    use super::*;
    use crate::stats::Table;

    #[test]
    fn every_route_is_described() {
        let ready = openapi(&shared_of(Table::new(0.0, true)));
        let description: Value = serde_json::from_slice(&ready.body).unwrap();
        let paths: Vec<_> = description["paths"].as_object().unwrap().keys().map(String::as_str).collect();
        let known = paths.iter().filter(|path| Route::of(path).is_some()).count();
        assert_eq!(known, 13, "{paths:?}");
        assert_eq!(description["servers"][0]["url"], "/");
    }

    #[test]
    fn a_path_is_a_route_or_nobody_s() {
        assert_eq!(Route::of("/stats/requests"), Some(Route::Requests));
        assert_eq!(Route::of("/assets/a/b.js"), Some(Route::Asset("a/b.js".into())));
        for path in ["/", "/stats/requests/", "/assets/", "/assets", "/swarm", ""] {
            assert_eq!(Route::of(path), None, "{path}");
        }
    }
}
