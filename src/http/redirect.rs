//! stub
#[derive(Clone, Copy, Debug)]
pub enum RedirectStyle { Requests, Gevent }
