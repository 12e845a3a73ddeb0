//! Connections that several sessions share: what `client_pool` and `pool_manager` of a user class come to.

use std::sync::Arc;

use pyo3::prelude::*;

use super::hub::hub;
use crate::http::Settings;
use crate::http::io::{Command, forget};
use crate::http::request::AtTheLimit;
use crate::http::session::new_id;

/// Lives as long as the pool or one of its sessions: then its connections are closed.
#[derive(Debug)]
pub struct Shared {
    pub id: u64,
    size: usize,
    at_the_limit: AtTheLimit,
}

impl Shared {
    /// A session's settings, with this pool's size.
    pub fn limit(&self, settings: &mut Settings) {
        settings.max_connections = self.size;
        settings.at_the_limit = self.at_the_limit;
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        forget(self.id);
    }
}

/// A pool of connections, to be given to sessions.
#[pyclass(frozen, module = "gregaria._engine")]
pub struct SharedPool(pub Arc<Shared>);

#[pymethods]
impl SharedPool {
    /// `size` connections. Who needs one more waits if the pool `blocks`; else it gets one that is not kept.
    #[new]
    fn new(size: usize, blocks: bool) -> Self {
        let at_the_limit = if blocks { AtTheLimit::Wait } else { AtTheLimit::OpenMore };
        Self(Arc::new(Shared { id: new_id(), size: size.max(1), at_the_limit }))
    }

    /// Close the connections that are kept alive; the pool stays usable.
    fn close(&self, py: Python<'_>) -> PyResult<()> {
        hub(py)?.send(self.0.id, Command::CloseIdle { session: self.0.id });
        Ok(())
    }
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<SharedPool>()
}
