//! stub
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RedirectStyle { Requests, Gevent }
