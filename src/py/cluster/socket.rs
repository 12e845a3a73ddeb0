//! `_engine.MessageSocket`: one socket by itself, on a thread of its own. `locust.rpc` has it for who speaks with workers
//! or masters without a runner.

use std::future::poll_fn;
use std::io;
use std::pin::pin;
use std::sync::Mutex;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use bytes::Bytes;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use tokio::sync::{mpsc, oneshot};

use crate::cluster::transport::{
    Dealer, DealerOutlet, Identity, Notice, Notices, Refused, Router, RouterOutlet, Settings,
};
use crate::py::hub::hub;
use crate::sync::held;

/// How many messages may wait for Python; then the socket is not read.
const MOST_WAITING: usize = 1000;

type Received = (Option<Identity>, Bytes);
/// The same for Python.
type Heard<'py> = (Option<Bound<'py, PyBytes>>, Bound<'py, PyBytes>);

enum Outlet {
    Router(RouterOutlet),
    Dealer(DealerOutlet),
}

/// A router where it has no identity, else a dealer.
#[pyclass(frozen, module = "gregaria._engine")]
pub struct MessageSocket {
    port: u16,
    outlet: Outlet,
    incoming: Mutex<mpsc::Receiver<Received>>,
    notices: Mutex<mpsc::Receiver<Notice>>,
    end: Mutex<Option<oneshot::Sender<Duration>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

#[pymethods]
impl MessageSocket {
    /// `OSError` where it cannot listen or the identity cannot be one, `ValueError` for a key that is none.
    #[new]
    #[pyo3(signature = (host, port, identity=None, *, key=None, most_bytes=None))]
    fn new(
        py: Python<'_>,
        host: String,
        port: u16,
        identity: Option<String>,
        key: Option<&str>,
        most_bytes: Option<usize>,
    ) -> PyResult<Self> {
        let (notices, noticed) = Notices::channel();
        let mut settings = Settings { key: super::key(key)?, notices, ..Settings::default() };
        settings.most_bytes = most_bytes.unwrap_or(settings.most_bytes);
        let (sender, incoming) = mpsc::channel(MOST_WAITING);
        let (end, ended) = oneshot::channel();
        let (opened, is_open) = oneshot::channel();
        let serve = move || {
            let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
                Ok(runtime) => runtime,
                Err(error) => return drop(opened.send(Err(error))),
            };
            runtime.block_on(async {
                match Socket::open(&host, port, identity.as_deref(), settings) {
                    Ok(socket) => {
                        let _ = opened.send(Ok(socket.seen_from_outside()));
                        socket.serve(sender, ended).await;
                    }
                    Err(error) => drop(opened.send(Err(error))),
                }
            });
            // A name may still be looked up.
            runtime.shutdown_background();
        };
        let thread = thread::Builder::new().name("messages".into()).spawn(serve)?;
        let opened = py.detach(|| is_open.blocking_recv());
        let (port, outlet) = opened.unwrap_or_else(|_| Err(io::Error::other("the socket's thread has ended")))?;
        Ok(Self {
            port,
            outlet,
            incoming: Mutex::new(incoming),
            notices: Mutex::new(noticed),
            end: Mutex::new(Some(end)),
            thread: Mutex::new(Some(thread)),
        })
    }

    /// Where a router listens; a dealer's is the one that it connects to.
    #[getter]
    fn port(&self) -> u16 {
        self.port
    }

    /// Queue a message, a router's for a peer. `False`: it was dropped, as nobody of this name is there or the queue is
    /// full.
    #[pyo3(signature = (message, to=None))]
    fn send(&self, message: Vec<u8>, to: Option<Vec<u8>>) -> bool {
        match &self.outlet {
            Outlet::Router(outlet) => outlet.send(&Identity(to.unwrap_or_default().into()), message.into()),
            Outlet::Dealer(outlet) => outlet.send(message.into()),
        }
    }

    /// Park until a message comes: of whom (a router's peers alone have names), and its bytes. `None` after the end. One
    /// greenlet may wait.
    fn recv<'py>(&self, py: Python<'py>) -> PyResult<Option<Heard<'py>>> {
        // Locked for each look alone: nothing is held while the greenlet is parked.
        let incoming = || held(&self.incoming);
        let mut next = pin!(poll_fn(|context| incoming().poll_recv(context)));
        let received = hub(py)?.wait_for(py, next.as_mut())?;
        let bytes = |bytes: &[u8]| PyBytes::new(py, bytes);
        Ok(received.map(|(identity, message)| (identity.map(|identity| bytes(&identity.0)), bytes(&message))))
    }

    /// What the socket has to say to people since the last look.
    fn notices(&self) -> Vec<String> {
        let mut notices = held(&self.notices);
        std::iter::from_fn(|| notices.try_recv().ok()).map(|notice| notice.text).collect()
    }

    /// How often a router refused: strangers, keys, violations, clashes of names, messages to full queues.
    fn refused(&self) -> (u64, u64, u64, u64, u64) {
        let refused = match &self.outlet {
            Outlet::Router(outlet) => outlet.refused(),
            Outlet::Dealer(_) => Refused::default(),
        };
        refused.into()
    }

    /// Close the connection and open another one, under the same identity. A router has nothing to do.
    fn reopen(&self) {
        if let Outlet::Dealer(outlet) = &self.outlet {
            outlet.reopen();
        }
    }

    /// Let what is queued leave, for so many seconds at most, and close.
    #[pyo3(signature = (linger=1.0))]
    fn close(&self, py: Python<'_>, linger: f64) {
        let linger = Duration::try_from_secs_f64(linger).unwrap_or_default();
        let end = held(&self.end).take();
        let thread = held(&self.thread).take();
        // Its thread may have ended already.
        if let Some(end) = end {
            let _ = end.send(linger);
        }
        py.detach(|| thread.into_iter().for_each(|thread| drop(thread.join())));
    }
}

enum Socket {
    Router(Router),
    Dealer(Dealer, u16),
}

impl Socket {
    fn open(host: &str, port: u16, identity: Option<&str>, settings: Settings) -> io::Result<Self> {
        match identity {
            None => Router::bind(host, port, settings).map(Self::Router),
            Some(identity) => Ok(Self::Dealer(Dealer::connect(host, port, identity, settings)?, port)),
        }
    }

    fn seen_from_outside(&self) -> (u16, Outlet) {
        match self {
            Self::Router(router) => (router.port(), Outlet::Router(router.outlet())),
            Self::Dealer(dealer, port) => (*port, Outlet::Dealer(dealer.outlet())),
        }
    }

    async fn receive(&mut self) -> Received {
        match self {
            Self::Router(router) => {
                let (identity, message) = router.recv().await;
                (Some(identity), message)
            }
            Self::Dealer(dealer, _) => (None, dealer.recv().await),
        }
    }

    async fn serve(mut self, incoming: mpsc::Sender<Received>, mut ended: oneshot::Receiver<Duration>) {
        let forward = async { while incoming.send(self.receive().await).await.is_ok() {} };
        let linger = tokio::select! {
            linger = &mut ended => linger.unwrap_or_default(),
            () = forward => Duration::ZERO,
        };
        match self {
            Self::Router(router) => router.close(linger).await,
            Self::Dealer(dealer, _) => {
                dealer.close(linger).await;
            }
        }
    }
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<MessageSocket>()
}
