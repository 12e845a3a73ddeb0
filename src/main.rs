//! `locust` with the interpreter embedded: the same entry as the wheel's command.

fn main() {}
