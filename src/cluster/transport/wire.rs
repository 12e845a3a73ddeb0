//! ZMTP 3.1 as bytes: greetings, frames and commands, without sockets.

use bytes::{Buf, BufMut, Bytes, BytesMut};

use super::key::{Opening, SEAL, Sealing};

pub(super) const GREETING: usize = 64;
/// Commands are short: their longest part is an identity of 255 bytes.
const MOST_COMMAND: usize = 4096;

const MORE: u8 = 1;
const LONG: u8 = 2;
const COMMAND: u8 = 4;

/// What a peer did that ends its connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Violation {
    #[error("it does not speak ZeroMQ's protocol")]
    NotZmtp,
    #[error("it speaks an old version of ZeroMQ's protocol")]
    Old,
    #[error("a message is longer than allowed")]
    TooLong,
    #[error("it sent what the protocol has no place for")]
    OutOfPlace,
    #[error("a message could not be authenticated")]
    Forged,
}

/// How a connection proves who is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mechanism {
    /// Not at all.
    Null,
    /// By the shared key, see [`super::key`].
    Sealed,
    Other,
}

const NULL: &[u8; 20] = b"NULL\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";
const SEALED: &[u8; 20] = b"GREGARIA-KEY\0\0\0\0\0\0\0\0";

/// The first 64 bytes of either side.
pub(super) fn greeting(mechanism: Mechanism, as_server: bool) -> [u8; GREETING] {
    let mut bytes = [0; GREETING];
    (bytes[0], bytes[9], bytes[10], bytes[11]) = (0xff, 0x7f, 3, 1);
    bytes[12..32].copy_from_slice(if mechanism == Mechanism::Sealed { SEALED } else { NULL });
    bytes[32] = u8::from(as_server && mechanism == Mechanism::Sealed);
    bytes
}

/// What a peer's greeting says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Greeting {
    pub(super) mechanism: Mechanism,
    /// Since 3.1 a peer answers a ping.
    pub(super) answers_pings: bool,
}

/// Read the greeting as far as it has come: `None` as long as it is whole neither nor wrong.
pub(super) fn read_greeting(bytes: &[u8]) -> Result<Option<Greeting>, Violation> {
    let starts_well = bytes.first().is_none_or(|first| *first == 0xff);
    if !starts_well || bytes.get(9).is_some_and(|last| *last != 0x7f) {
        return Err(Violation::NotZmtp);
    }
    if bytes.get(10).is_some_and(|major| *major < 3) {
        return Err(Violation::Old);
    }
    let Some(whole) = bytes.first_chunk::<GREETING>() else { return Ok(None) };
    let mechanism = match whole[12..32].first_chunk() {
        Some(NULL) => Mechanism::Null,
        Some(SEALED) => Mechanism::Sealed,
        _ => Mechanism::Other,
    };
    Ok(Some(Greeting { mechanism, answers_pings: whole[10] > 3 || whole[11] >= 1 }))
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Frame {
    pub(super) is_command: bool,
    pub(super) more: bool,
    pub(super) body: BytesMut,
}

impl Frame {
    /// What a sealed frame says that it is.
    pub(super) fn of(flags: u8, body: BytesMut) -> Self {
        Self { is_command: flags & COMMAND != 0, more: flags & MORE != 0, body }
    }
}

/// Cuts what arrives into frames. It keeps the head of the frame that is on its way, never its body.
#[derive(Debug)]
struct Frames {
    most_bytes: usize,
    head: Option<(u8, usize)>,
}

impl Frames {
    fn new(most_bytes: usize) -> Self {
        Self { most_bytes, head: None }
    }

    /// The next frame, where `arrived` holds one.
    pub(super) fn next(&mut self, arrived: &mut BytesMut) -> Result<Option<Frame>, Violation> {
        let Some((flags, length)) = self.head(arrived)? else { return Ok(None) };
        if arrived.len() < length {
            return Ok(None);
        }
        self.head = None;
        Ok(Some(Frame::of(flags, arrived.split_to(length))))
    }

    /// How many bytes the frame that is on its way still lacks.
    pub(super) fn missing(&self, arrived: &BytesMut) -> usize {
        self.head.map_or(0, |(_, length)| length.saturating_sub(arrived.len()))
    }

    fn head(&mut self, arrived: &mut BytesMut) -> Result<Option<(u8, usize)>, Violation> {
        if self.head.is_none() {
            let Some(flags) = arrived.first().copied() else { return Ok(None) };
            if flags & !(MORE | LONG | COMMAND) != 0 || flags & (MORE | COMMAND) == MORE | COMMAND {
                return Err(Violation::OutOfPlace);
            }
            let width = if flags & LONG == 0 { 2 } else { 9 };
            if arrived.len() < width {
                return Ok(None);
            }
            arrived.advance(1);
            let length = if flags & LONG == 0 { u64::from(arrived.get_u8()) } else { arrived.get_u64() };
            let most = if flags & COMMAND == 0 { self.most_bytes } else { MOST_COMMAND };
            let length = usize::try_from(length).ok().filter(|length| *length <= most).ok_or(Violation::TooLong)?;
            self.head = Some((flags, length));
        }
        Ok(self.head)
    }
}

/// Writes frames, sealed where there is a key.
#[derive(Default)]
pub(super) struct Writer(pub(super) Option<Sealing>);

impl Writer {
    /// Put a message of one frame behind what is to be sent.
    pub(super) fn message(&mut self, out: &mut BytesMut, body: &[u8]) {
        self.frame(out, 0, body);
    }

    pub(super) fn command(&mut self, out: &mut BytesMut, body: &[u8]) {
        self.frame(out, COMMAND, body);
    }

    fn frame(&mut self, out: &mut BytesMut, flags: u8, body: &[u8]) {
        if let Some(sealing) = &mut self.0 {
            // What kind of frame it is nobody sees but who can open it.
            write_head(out, 0, body.len() + SEAL);
            sealing.seal(out, flags, body);
        } else {
            write_head(out, flags, body.len());
            out.extend_from_slice(body);
        }
    }
}

fn write_head(out: &mut BytesMut, flags: u8, length: usize) {
    out.reserve(length + 9);
    if let Ok(short) = u8::try_from(length) {
        out.put_slice(&[flags, short]);
    } else {
        out.put_u8(flags | LONG);
        out.put_u64(length as u64);
    }
}

/// Reads frames, and opens them where there is a key.
pub(super) struct Reader {
    frames: Frames,
    opening: Option<Opening>,
}

impl Reader {
    /// For a handshake: commands come, and no messages.
    pub(super) fn new(opening: Option<Opening>) -> Self {
        // A sealed command looks like a message.
        Self { frames: Frames::new(if opening.is_some() { MOST_COMMAND } else { 0 }), opening }
    }

    pub(super) fn next(&mut self, arrived: &mut BytesMut) -> Result<Option<Frame>, Violation> {
        let frame = self.frames.next(arrived)?;
        match (frame, &mut self.opening) {
            (Some(Frame { is_command: false, more: false, body }), Some(opening)) => {
                let (flags, body) = opening.open(body)?;
                Ok(Some(Frame::of(flags, body)))
            }
            (Some(_), Some(_)) => Err(Violation::Forged),
            (frame, None) => Ok(frame),
            (None, Some(_)) => Ok(None),
        }
    }

    /// The handshake is over: messages may come from now on, up to this length.
    pub(super) fn accept(&mut self, most_bytes: usize) {
        self.frames.most_bytes = most_bytes.saturating_add(if self.opening.is_some() { SEAL } else { 0 });
    }

    pub(super) fn missing(&self, arrived: &BytesMut) -> usize {
        self.frames.missing(arrived)
    }

    /// Of the frame that is on its way, where its head has come.
    pub(super) fn length(&self) -> usize {
        self.frames.head.map_or(0, |(_, length)| length)
    }
}

/// What a command says, as far as this side cares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Command {
    Ready(Ready),
    /// With the context that the answer repeats.
    Ping(Bytes),
    Pong,
    Error(String),
    /// A step of the handshake with a key.
    Proof(Bytes),
    /// Something of a later version, to be ignored.
    Other,
}

/// How a peer introduces itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Ready {
    pub(super) socket_type: Bytes,
    pub(super) identity: Bytes,
    /// It is one of ours: dead connections may be told by shorter silence.
    pub(super) is_ours: bool,
}

const OURS: &[u8] = b"X-Gregaria";

impl Command {
    pub(super) fn read(body: impl Into<Bytes>) -> Result<Self, Violation> {
        let mut body = body.into();
        let name = take_short(&mut body)?;
        Ok(match &name[..] {
            b"READY" => Self::Ready(Ready::read(body)?),
            // Two bytes say how long the connection may be silent before the sender gives it up.
            b"PING" if body.len() >= 2 => Self::Ping(body.slice(2..)),
            b"PING" => return Err(Violation::OutOfPlace),
            b"PONG" => Self::Pong,
            b"ERROR" => Self::Error(String::from_utf8_lossy(&take_short(&mut body)?).into_owned()),
            b"PROOF" => Self::Proof(body),
            _ => Self::Other,
        })
    }

    pub(super) fn write(&self) -> Bytes {
        let mut out = BytesMut::new();
        match self {
            Self::Ready(ready) => {
                put_short(&mut out, b"READY");
                for (name, value) in
                    [(&b"Socket-Type"[..], &ready.socket_type[..]), (b"Identity", &ready.identity), (OURS, b"1")]
                {
                    put_short(&mut out, name);
                    out.put_u32(value.len() as u32);
                    out.put_slice(value);
                }
            }
            Self::Ping(context) => {
                put_short(&mut out, b"PING");
                out.put_u16(0);
                out.put_slice(context);
            }
            Self::Pong => put_short(&mut out, b"PONG"),
            Self::Error(reason) => {
                put_short(&mut out, b"ERROR");
                put_short(&mut out, reason.as_bytes());
            }
            Self::Proof(proof) => {
                put_short(&mut out, b"PROOF");
                out.put_slice(proof);
            }
            Self::Other => {}
        }
        out.freeze()
    }
}

/// The answer to a ping.
pub(super) fn pong(context: &[u8]) -> BytesMut {
    let mut out = BytesMut::new();
    put_short(&mut out, b"PONG");
    out.put_slice(context);
    out
}

impl Ready {
    fn read(mut body: Bytes) -> Result<Self, Violation> {
        let mut ready = Self::default();
        while !body.is_empty() {
            let name = take_short(&mut body)?;
            let length = body.try_get_u32().map_err(|_| Violation::OutOfPlace)? as usize;
            if body.len() < length {
                return Err(Violation::OutOfPlace);
            }
            let value = body.split_to(length);
            if name.eq_ignore_ascii_case(b"Socket-Type") {
                ready.socket_type = value;
            } else if name.eq_ignore_ascii_case(b"Identity") {
                ready.identity = value;
            } else if name.eq_ignore_ascii_case(OURS) {
                ready.is_ours = true;
            }
        }
        if ready.identity.len() > 255 {
            return Err(Violation::OutOfPlace);
        }
        Ok(ready)
    }
}

/// A byte that says how long, and what is so long.
fn take_short(body: &mut Bytes) -> Result<Bytes, Violation> {
    let length = usize::from(body.try_get_u8().map_err(|_| Violation::OutOfPlace)?);
    if body.len() < length {
        return Err(Violation::OutOfPlace);
    }
    Ok(body.split_to(length))
}

fn put_short(out: &mut BytesMut, text: &[u8]) {
    let length = text.len().min(255);
    out.put_u8(length as u8);
    out.put_slice(&text[..length]);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_greeting_is_told_from_anything_else_at_the_first_byte_that_differs() {
        let ours = greeting(Mechanism::Null, true);
        let read = Greeting { mechanism: Mechanism::Null, answers_pings: true };
        assert_eq!(read_greeting(&ours), Ok(Some(read)));
        assert_eq!(read_greeting(&ours[..63]), Ok(None));
        assert_eq!(read_greeting(b""), Ok(None));
        assert_eq!(read_greeting(b"G"), Err(Violation::NotZmtp));
        assert_eq!(read_greeting(b"\xff\0\0\0\0\0\0\0\x01\x7f\x01"), Err(Violation::Old));
        let sealed = read_greeting(&greeting(Mechanism::Sealed, false)).unwrap().unwrap();
        assert_eq!(sealed.mechanism, Mechanism::Sealed);
    }

    #[test]
    fn what_libzmq_introduces_itself_with() {
        let body = Bytes::from_static(b"\x05READY\x0bSocket-Type\0\0\0\x06DEALER\x08Identity\0\0\0\x04me_1");
        let ready = Ready { socket_type: "DEALER".into(), identity: "me_1".into(), is_ours: false };
        assert_eq!(Command::read(body), Ok(Command::Ready(ready)));
        assert_eq!(Command::read(Bytes::from_static(b"\x04PING\0\x0acontext")), Ok(Command::Ping("context".into())));
    }

    #[test]
    fn commands_survive_the_way() {
        let ready = Ready { socket_type: "ROUTER".into(), identity: "n".into(), is_ours: true };
        for command in [Command::Ready(ready), Command::Ping("c".into()), Command::Pong, Command::Error("no".into())] {
            assert_eq!(Command::read(command.write()), Ok(command));
        }
    }

    #[test]
    fn a_long_frame_is_refused_by_its_head() {
        let mut arrived = BytesMut::from(&b"\x02\0\0\0\0\0\0\x04\x01"[..]);
        assert_eq!(Frames::new(1024).next(&mut arrived), Err(Violation::TooLong));
        let mut arrived = BytesMut::from(&b"\x06\0\0\0\0\0\0\x10\x01"[..]);
        assert_eq!(Frames::new(1 << 20).next(&mut arrived), Err(Violation::TooLong));
    }

    proptest! {
        #[test]
        fn frames_come_whole_however_they_are_cut(
            bodies in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..600), 0..10),
            cuts in proptest::collection::vec(1..400_usize, 1..40),
        ) {
            let mut sent = BytesMut::new();
            bodies.iter().for_each(|body| Writer::default().message(&mut sent, body));
            let (mut frames, mut arrived, mut seen) = (Frames::new(1000), BytesMut::new(), Vec::new());
            for cut in cuts.into_iter().cycle() {
                if sent.is_empty() {
                    break;
                }
                arrived.unsplit(sent.split_to(cut.min(sent.len())));
                while let Some(frame) = frames.next(&mut arrived).unwrap() {
                    seen.push(frame.body.to_vec());
                }
            }
            prop_assert_eq!(seen, bodies);
        }

        #[test]
        fn any_bytes_are_read_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = read_greeting(&bytes);
            let _ = Command::read(Bytes::from(bytes.clone()));
            let (mut frames, mut arrived) = (Frames::new(64), BytesMut::from(&bytes[..]));
            while let Ok(Some(frame)) = frames.next(&mut arrived) {
                prop_assert!(frame.body.len() <= MOST_COMMAND);
            }
        }
    }
}
