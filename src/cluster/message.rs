//! Messages: an array of a kind, its data and the id of a node, in `MessagePack` as Locust writes it.
//!
//! Whoever can reach the master's port can send it anything. So a message is looked through before it is used:
//! [`open`] walks over all of it without allocating, and refuses what is cut off, too deep, has too many values, or is
//! not exactly one array of three. What it has passed can be decoded in bounded memory.

use bytes::Bytes;
pub use rmpv::Value;

/// How deep arrays and maps may nest. Locust's own messages need six.
pub const MOST_DEEP: usize = 256;

/// How many values a message may have. A value of one byte costs 32 in memory (twice that while a list grows), so a
/// message without this bound could cost 64 times its size. A report of ten thousand rows with two hundred buckets each
/// has four millions.
pub const MOST_VALUES: u32 = 8_000_000;

/// Why bytes are no message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    #[error("it ends in the middle of a value")]
    Truncated,
    #[error("{0} bytes follow its end")]
    Trailing(usize),
    #[error("a text in it is not UTF-8")]
    NotText,
    #[error("it nests deeper than {MOST_DEEP} levels")]
    TooDeep,
    #[error("it has more than {MOST_VALUES} values")]
    TooMany,
    #[error("it has a byte that MessagePack never uses")]
    Reserved,
    #[error("it is not an array of kind, data and node id")]
    NotAnEnvelope,
}

impl Malformed {
    /// Whether Locust's master asks a worker that it knows for a new connection on account of it, as if bytes had been
    /// lost on the way. It dies of all others.
    pub fn asks_for_reconnect(self) -> bool {
        matches!(self, Self::Trailing(_) | Self::NotText)
    }
}

/// A message whose parts still lie in the bytes that came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Envelope<'a> {
    pub kind: &'a str,
    /// `MessagePack`, whole and valid.
    pub data: &'a [u8],
    /// What the sender says who it is, or whom the master addresses. Foreign masters may leave it out.
    pub node_id: Option<&'a str>,
}

/// What a map has under a key.
pub fn field<'a>(map: &'a Value, key: &str) -> Option<&'a Value> {
    map.as_map()?.iter().find(|(name, _)| name.as_str() == Some(key)).map(|(_, value)| value)
}

/// Look a message through, without allocating.
pub fn open(message: &[u8]) -> Result<Envelope<'_>, Malformed> {
    let mut walk = Walk::over(message);
    if walk.head()? != Head::Items(3) || !is_array(message) {
        return Err(Malformed::NotAnEnvelope);
    }
    let kind = walk.text()?.ok_or(Malformed::NotAnEnvelope)?;
    let data = walk.value()?;
    let node_id = walk.text_or_nil()?;
    match walk.rest.len() {
        0 => Ok(Envelope { kind, data, node_id }),
        left => Err(Malformed::Trailing(left)),
    }
}

/// The data of a worker's report, not looked through: whoever reads them has to check them, and that nothing is left over.
/// Reports are nearly all that a master is sent, and to walk over one costs as much as to add it up. `None` where the
/// message is anything else, or ends with another's name.
pub fn report<'a>(message: &'a [u8], sender: &str) -> Option<&'a [u8]> {
    let mut end = Vec::with_capacity(5 + sender.len());
    write_text(&mut end, sender);
    message.strip_prefix(b"\x93\xa5stats")?.strip_suffix(&*end)
}

/// Decode one value, with nothing after it.
pub fn value(data: &[u8]) -> Result<Value, Malformed> {
    let mut walk = Walk::over(data);
    walk.value()?;
    if !walk.rest.is_empty() {
        return Err(Malformed::Trailing(walk.rest.len()));
    }
    // It has been walked over, so nothing in it can fail. This decoder counts several steps for a level.
    rmpv::decode::read_value_with_max_depth(&mut &*data, 4 * MOST_DEEP).map_err(|_| Malformed::Reserved)
}

/// A message with data that are still to be encoded.
pub fn encode(kind: &str, data: &Value, node_id: &str) -> Bytes {
    let mut written = begin(kind, 64 + node_id.len());
    // Writing to memory fails only where a length exceeds 32 bits.
    rmpv::encode::write_value(&mut written, data).expect("a value shorter than four gigabytes");
    finish(written, node_id)
}

/// Data by themselves, for [`encode_raw`].
pub fn encode_data(data: &Value) -> Vec<u8> {
    let mut written = Vec::with_capacity(64);
    rmpv::encode::write_value(&mut written, data).expect("a value shorter than four gigabytes");
    written
}

/// A message around data that are `MessagePack` already.
pub fn encode_raw(kind: &str, data: &[u8], node_id: &str) -> Bytes {
    let mut written = begin(kind, data.len() + node_id.len());
    written.extend_from_slice(data);
    finish(written, node_id)
}

fn begin(kind: &str, room: usize) -> Vec<u8> {
    let mut written = Vec::with_capacity(room + kind.len() + 16);
    written.push(0x93);
    write_text(&mut written, kind);
    written
}

fn finish(mut written: Vec<u8>, node_id: &str) -> Bytes {
    write_text(&mut written, node_id);
    written.into()
}

fn write_text(written: &mut Vec<u8>, text: &str) {
    rmpv::encode::write_value_ref(written, &rmpv::ValueRef::from(text)).expect("a text shorter than four gigabytes");
}

/// What the first bytes of a value say.
#[derive(Debug, PartialEq, Eq)]
enum Head {
    /// Nothing follows but so many bytes.
    Bytes(usize),
    /// So many bytes of text follow.
    Text(usize),
    /// So many values follow: an array's, or twice a map's pairs.
    Items(u64),
}

fn is_array(message: &[u8]) -> bool {
    matches!(message.first(), Some(0x90..=0x9f | 0xdc | 0xdd))
}

/// A walk over bytes that nobody vouches for.
struct Walk<'a> {
    rest: &'a [u8],
    values_left: u32,
}

impl<'a> Walk<'a> {
    fn over(bytes: &'a [u8]) -> Self {
        Self { rest: bytes, values_left: MOST_VALUES }
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8], Malformed> {
        let (taken, rest) = self.rest.split_at_checked(length).ok_or(Malformed::Truncated)?;
        self.rest = rest;
        Ok(taken)
    }

    fn number<const WIDTH: usize>(&mut self) -> Result<usize, Malformed> {
        Ok(self.take(WIDTH)?.iter().fold(0, |number, byte| number << 8 | usize::from(*byte)))
    }

    fn head(&mut self) -> Result<Head, Malformed> {
        self.values_left = self.values_left.checked_sub(1).ok_or(Malformed::TooMany)?;
        let first = self.take(1)?[0];
        Ok(match first {
            0x00..=0x7f | 0xe0..=0xff | 0xc0 | 0xc2 | 0xc3 => Head::Bytes(0),
            0x80..=0x8f => Head::Items(2 * u64::from(first & 0x0f)),
            0x90..=0x9f => Head::Items(u64::from(first & 0x0f)),
            0xa0..=0xbf => Head::Text(usize::from(first & 0x1f)),
            0xc1 => return Err(Malformed::Reserved),
            0xc4 => Head::Bytes(self.number::<1>()?),
            0xc5 => Head::Bytes(self.number::<2>()?),
            0xc6 => Head::Bytes(self.number::<4>()?),
            // An extension has a byte for its type before its content.
            0xc7 => Head::Bytes(self.number::<1>()? + 1),
            0xc8 => Head::Bytes(self.number::<2>()? + 1),
            0xc9 => Head::Bytes(self.number::<4>()? + 1),
            0xcc | 0xd0 => Head::Bytes(1),
            0xcd | 0xd1 | 0xd4 => Head::Bytes(2),
            0xd5 => Head::Bytes(3),
            0xca | 0xce | 0xd2 => Head::Bytes(4),
            0xd6 => Head::Bytes(5),
            0xcb | 0xcf | 0xd3 => Head::Bytes(8),
            0xd7 => Head::Bytes(9),
            0xd8 => Head::Bytes(17),
            0xd9 => Head::Text(self.number::<1>()?),
            0xda => Head::Text(self.number::<2>()?),
            0xdb => Head::Text(self.number::<4>()?),
            0xdc => Head::Items(self.number::<2>()? as u64),
            0xdd => Head::Items(self.number::<4>()? as u64),
            0xde => Head::Items(2 * self.number::<2>()? as u64),
            0xdf => Head::Items(2 * self.number::<4>()? as u64),
        })
    }

    /// Step over one value, however deep it is: the way back up is in an array, not on the stack.
    fn value(&mut self) -> Result<&'a [u8], Malformed> {
        let start = self.rest;
        let mut left = [0_u64; MOST_DEEP];
        let mut depth = 0;
        loop {
            match self.head()? {
                Head::Bytes(length) => drop(self.take(length)?),
                Head::Text(length) => drop(str_of(self.take(length)?)?),
                Head::Items(0) => {}
                Head::Items(_) if depth == MOST_DEEP => return Err(Malformed::TooDeep),
                Head::Items(count) => {
                    left[depth] = count;
                    depth += 1;
                    continue;
                }
            }
            while depth > 0 {
                left[depth - 1] -= 1;
                if left[depth - 1] > 0 {
                    break;
                }
                depth -= 1;
            }
            if depth == 0 {
                return Ok(&start[..start.len() - self.rest.len()]);
            }
        }
    }

    fn text(&mut self) -> Result<Option<&'a str>, Malformed> {
        match self.head()? {
            Head::Text(length) => str_of(self.take(length)?).map(Some),
            _ => Ok(None),
        }
    }

    fn text_or_nil(&mut self) -> Result<Option<&'a str>, Malformed> {
        if self.rest.first() == Some(&0xc0) {
            self.rest = &self.rest[1..];
            return Ok(None);
        }
        self.text()?.ok_or(Malformed::NotAnEnvelope).map(Some)
    }
}

fn str_of(bytes: &[u8]) -> Result<&str, Malformed> {
    std::str::from_utf8(bytes).map_err(|_| Malformed::NotText)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_contracts_sample_bytes() {
        let ready = b"\x93\xacclient_ready\xff\xadgohost_abc123";
        let opened = open(ready).unwrap();
        assert_eq!(opened, Envelope { kind: "client_ready", data: b"\xff", node_id: Some("gohost_abc123") });
        assert_eq!(encode("client_ready", &Value::from(-1), "gohost_abc123"), &ready[..]);
        let ack = Value::Map(vec![("index".into(), 0.into())]);
        assert_eq!(encode("ack", &ack, "gohost_abc123"), &b"\x93\xa3ack\x81\xa5index\x00\xadgohost_abc123"[..]);
        assert_eq!(encode_raw("quit", b"\xc0", "n"), &b"\x93\xa4quit\xc0\xa1n"[..]);
        assert_eq!(value(opened.data).unwrap(), Value::from(-1));
    }

    #[test]
    fn a_report_lies_between_its_kind_and_its_senders_name() {
        for name in ["n", "a name of more than thirty-one characters"] {
            let message = encode_raw("stats", b"\x81\xa1a\x01", name);
            assert_eq!(report(&message, name), Some(&b"\x81\xa1a\x01"[..]));
            assert_eq!(report(&message, name), open(&message).ok().map(|opened| opened.data));
            assert_eq!(report(&message, "another"), None);
            assert_eq!(report(&message[..message.len() - 1], name), None);
            assert_eq!(report(&encode_raw("heartbeat", b"\xc0", name), name), None);
        }
    }

    #[test]
    fn a_foreign_master_may_leave_the_node_id_out() {
        assert_eq!(open(b"\x93\xa4quit\xc0\xc0").unwrap().node_id, None);
    }

    #[test]
    fn what_is_no_message_is_refused_with_its_reason() {
        assert_eq!(open(b""), Err(Malformed::Truncated));
        assert_eq!(open(b"\x93\xa4qui"), Err(Malformed::Truncated));
        assert_eq!(open(b"\x93\xa4quit\xc0\xa1n."), Err(Malformed::Trailing(1)));
        assert_eq!(open(b"\x93\xa4quit\xc0\xa1\xff"), Err(Malformed::NotText));
        assert_eq!(open(b"\x93\xa4quit\xc1\xa1n"), Err(Malformed::Reserved));
        assert_eq!(open(b"\x92\xa4quit\xc0"), Err(Malformed::NotAnEnvelope));
        assert_eq!(open(b"\x94\xa4quit\xc0\xa1n\xc0"), Err(Malformed::NotAnEnvelope));
        assert_eq!(open(b"\x93\x01\xc0\xa1n"), Err(Malformed::NotAnEnvelope));
        assert_eq!(open(b"\x93\xa4quit\xc0\x05"), Err(Malformed::NotAnEnvelope));
        assert!(Malformed::Trailing(1).asks_for_reconnect() && !Malformed::Truncated.asks_for_reconnect());
    }

    #[test]
    fn depth_and_announced_lengths_cost_nothing() {
        let deep = |levels| [vec![0x91; levels], vec![0xc0]].concat();
        assert!(value(&deep(MOST_DEEP)).is_ok());
        assert_eq!(value(&deep(MOST_DEEP + 1)), Err(Malformed::TooDeep));
        assert_eq!(value(&deep(1_000_000)), Err(Malformed::TooDeep));
        assert_eq!(value(b"\xdd\xff\xff\xff\xff"), Err(Malformed::Truncated));
        assert_eq!(value(b"\xdf\xff\xff\xff\xff\xc0"), Err(Malformed::Truncated));
        assert_eq!(value(b"\xc6\xff\xff\xff\xff"), Err(Malformed::Truncated));
        let many = [b"\xdd\x00\xff\xff\xff".to_vec(), vec![0xc0; 0xff_ffff]].concat();
        assert_eq!(value(&many), Err(Malformed::TooMany));
    }

    fn values() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Nil),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<u64>().prop_map(Value::from),
            (-1e300..1e300).prop_map(Value::F64),
            ".{0,300}".prop_map(Value::from),
            proptest::collection::vec(any::<u8>(), 0..300).prop_map(Value::from),
            (any::<i8>(), proptest::collection::vec(any::<u8>(), 0..40))
                .prop_map(|(kind, data)| Value::Ext(kind, data)),
        ];
        leaf.prop_recursive(4, 64, 20, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..20).prop_map(Value::Array),
                proptest::collection::vec((inner.clone(), inner), 0..20).prop_map(Value::Map),
            ]
        })
    }

    proptest! {
        #[test]
        fn opening_undoes_encoding(kind in ".{0,40}", data in values(), node_id in ".{0,40}") {
            let message = encode(&kind, &data, &node_id);
            let opened = open(&message).unwrap();
            prop_assert_eq!((opened.kind, opened.node_id), (kind.as_str(), Some(node_id.as_str())));
            prop_assert_eq!(value(opened.data).unwrap(), data);
            prop_assert_eq!(encode_raw(&kind, opened.data, &node_id), &message);
            for end in 0..message.len().min(400) {
                prop_assert!(open(&message[..end]).is_err());
            }
        }

        #[test]
        fn any_bytes_are_told_apart_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            // What passes the walk is decoded by the other decoder, too: the two agree on what is whole.
            match value(&bytes) {
                Ok(_) => prop_assert!(Walk::over(&bytes).value().is_ok()),
                Err(Malformed::Reserved) => prop_assert!(bytes.contains(&0xc1)),
                Err(_) => {}
            }
        }
    }
}
