//! What workers are told to run.

use bytes::Bytes;
use rmpv::ValueRef;

use crate::cluster::message;

/// What one worker shall run: its id, and how many users of each class.
pub type Share = (String, Vec<(String, u64)>);

/// Pairs of a map, as `MessagePack`.
#[derive(Debug, Default)]
pub struct Pairs {
    pub bytes: Vec<u8>,
    pub count: u32,
}

/// What all messages have beside time and counts, and what only those to nodes of ours have: Locust's workers take what
/// they do not know for arguments of the locustfile.
#[derive(Debug, Default)]
pub struct Wish {
    pub common: Pairs,
    pub ours: Pairs,
}

/// The time of spawn messages. Workers drop one that is not later than the one before it.
#[derive(Debug, Default)]
pub struct Clock(f64);

impl Clock {
    /// A microsecond: the least that times of this century can be told apart by, four times over.
    const STEP: f64 = 1e-6;

    pub fn next(&mut self, now: f64) -> f64 {
        self.0 = if now > self.0 { now } else { self.0 + Self::STEP };
        self.0
    }
}

/// A message for each worker.
pub fn messages(
    shares: &[Share],
    wish: &Wish,
    is_ours: impl Fn(&str) -> bool,
    clock: &mut Clock,
    now: f64,
) -> Vec<(String, Bytes)> {
    let nothing = Pairs::default();
    let message = |(id, counts): &Share| {
        let ours = if is_ours(id) { &wish.ours } else { &nothing };
        let data = data(clock.next(now), counts, &wish.common, ours);
        (id.clone(), message::encode_raw("spawn", &data, id))
    };
    shares.iter().map(message).collect()
}

fn data(timestamp: f64, counts: &[(String, u64)], common: &Pairs, ours: &Pairs) -> Vec<u8> {
    let mut data = Vec::with_capacity(64 + common.bytes.len() + ours.bytes.len() + 24 * counts.len());
    let into = &mut data;
    write_map(into, 2 + common.count + ours.count);
    write(into, ValueRef::from("timestamp"));
    write(into, ValueRef::F64(timestamp));
    write(into, ValueRef::from("user_classes_count"));
    write_map(into, u32::try_from(counts.len()).unwrap_or(u32::MAX));
    for (name, count) in counts {
        write(into, ValueRef::from(name.as_str()));
        write(into, ValueRef::from(*count));
    }
    into.extend_from_slice(&common.bytes);
    into.extend_from_slice(&ours.bytes);
    data
}

/// The head of a map of so many pairs.
fn write_map(into: &mut Vec<u8>, pairs: u32) {
    match (u8::try_from(pairs), u16::try_from(pairs)) {
        (Ok(few @ 0..=15), _) => into.push(0x80 | few),
        (_, Ok(some)) => {
            into.push(0xde);
            into.extend_from_slice(&some.to_be_bytes());
        }
        _ => {
            into.push(0xdf);
            into.extend_from_slice(&pairs.to_be_bytes());
        }
    }
}

fn write(into: &mut Vec<u8>, value: ValueRef<'_>) {
    rmpv::encode::write_value_ref(into, &value).expect("memory takes what is written to it");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::master::data::map;
    use crate::cluster::message::field;

    #[test]
    fn every_worker_has_its_own_counts_and_a_time_of_its_own() {
        let pairs = |values: [ValueRef<'_>; 2]| {
            let mut bytes = Vec::new();
            values.into_iter().for_each(|value| write(&mut bytes, value));
            Pairs { bytes, count: 1 }
        };
        let wish = Wish { common: pairs(["host".into(), ValueRef::Nil]), ours: pairs(["gregaria".into(), 1.into()]) };
        let shares: Vec<Share> = ["a", "b"].map(|id| (id.into(), vec![("User".into(), 4), ("Other".into(), 0)])).into();
        let sent = messages(&shares, &wish, |id| id == "b", &mut Clock(1_800_000_000.0), 1_700_000_000.0);
        let mut last = 0.0;
        for ((id, _), (to, message)) in shares.iter().zip(&sent) {
            let opened = message::open(message).unwrap();
            assert_eq!((opened.kind, opened.node_id, to), ("spawn", Some(id.as_str()), id));
            let data = message::value(opened.data).unwrap();
            let counts = map([("User", 4.into()), ("Other", 0.into())]);
            assert_eq!(field(&data, "user_classes_count"), Some(&counts));
            assert_eq!(field(&data, "host"), Some(&rmpv::Value::Nil));
            assert_eq!(field(&data, "gregaria").is_some(), id == "b");
            let timestamp = field(&data, "timestamp").unwrap().as_f64().unwrap();
            assert!(timestamp > last);
            last = timestamp;
        }
    }

    #[test]
    fn maps_of_every_size_can_be_read() {
        for pairs in [0, 15, 16, 70_000] {
            let mut written = Vec::new();
            write_map(&mut written, pairs);
            (0..2 * pairs).for_each(|number| write(&mut written, number.into()));
            assert_eq!(message::value(&written).unwrap().as_map().unwrap().len(), pairs as usize);
        }
    }
}
