//! A message of a master or worker is refused or decoded, and what was decoded is encoded to the same again; as a report
//! it is merged whole or not at all. Memory is bounded by the limit of the run.

#![no_main]

use std::sync::Mutex;

use gregaria::cluster::message::{self, Malformed};
use gregaria::cluster::report::{Gone, Reports};
use gregaria::stats::Table;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    // A master merges reports as they come, without the walk over them: so these may be anything.
    merge(message::report(input, "gohost_abc123").unwrap_or(input));
    let opened = message::open(input);
    let Ok(envelope) = opened else {
        if let Err(Malformed::Trailing(bytes)) = opened {
            assert!(message::open(&input[..input.len() - bytes]).is_ok());
        }
        return;
    };
    let data = message::value(envelope.data).expect("it was looked through");
    let node_id = envelope.node_id.unwrap_or_default();
    let again = message::encode(envelope.kind, &data, node_id);
    let reopened = message::open(&again).expect("ours are whole");
    assert_eq!((reopened.kind, reopened.node_id.unwrap_or_default()), (envelope.kind, node_id));
    // As bytes: a number that is none equals nothing.
    let twice = message::value(reopened.data).expect("ours are whole");
    assert_eq!(message::encode_data(&twice), reopened.data);
    let _ = Reports::default().heartbeat("node", &data, 2.0);
    merge(envelope.data);
});

fn merge(data: &[u8]) {
    let table = Mutex::new(Table::new(0.0, false));
    let mut reports = Reports::default();
    if reports.merge("node", data, &table, 1.0).is_ok() {
        let _ = reports.merge("node", data, &table, 3.0);
        let _ = reports.merge("another", data, &table, 3.0);
    }
    let _ = reports.lost("node", Gone::Missing { may_have_counted: true }, 4.0);
    let _ = reports.figures("node");
}
