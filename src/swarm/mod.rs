//! Which users run, and when.

pub mod dispatch;
