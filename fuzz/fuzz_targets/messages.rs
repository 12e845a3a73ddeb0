//! A message of a master or worker is refused or decoded, and what was decoded is encoded to the same again; as a report
//! it is merged whole or not at all. Memory is bounded by the limit of the run.

#![no_main]

use std::sync::Mutex;

use gregaria::cluster::message::{self, Malformed};
use gregaria::cluster::report::Reports;
use gregaria::stats::Table;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let opened = message::open(input);
    let Ok(envelope) = opened else {
        if let Err(Malformed::Trailing(bytes)) = opened {
            assert!(message::open(&input[..input.len() - bytes]).is_ok());
        }
        return;
    };
    let data = message::value(envelope.data).expect("it was looked through");
    let again = message::encode(envelope.kind, &data, envelope.node_id.unwrap_or_default());
    let reopened = message::open(&again).expect("ours are whole");
    assert_eq!((reopened.kind, reopened.node_id.unwrap_or_default()), (envelope.kind, envelope.node_id.unwrap_or_default()));
    // As bytes: a number that is none equals nothing.
    let twice = message::value(reopened.data).expect("ours are whole");
    assert_eq!(message::encode_data(&twice), reopened.data);

    let table = Mutex::new(Table::new(0.0, false));
    let mut reports = Reports::default();
    let merged = reports.merge("node", envelope.data, &table, 1.0);
    let _ = reports.heartbeat("node", &data, 2.0);
    if merged.is_ok() {
        let _ = reports.merge("node", envelope.data, &table, 3.0);
        let _ = reports.merge("another", envelope.data, &table, 3.0);
    }
    let _ = reports.lost("node", 4.0);
    let _ = reports.figures("node");
});
