//! Who reports, how often, and by what clock: what ours say of themselves beside Locust's keys.

use rmpv::Value;

use super::bytes::{Malformed, Reader, Writer};
use crate::cluster::message::field;

/// In each report and each heartbeat of a worker of ours.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Stamp {
    /// Drawn when the worker began: another process under the same name begins to count again.
    pub instance: u64,
    /// The number of the last report, from 1.
    pub sequence: u64,
    /// Which of the worker's tests it belongs to: requests are counted within one.
    pub test: u64,
    /// How many requests of this test were counted: in a report those of all reports up to this one, in a heartbeat
    /// those that are not reported yet, too.
    pub counted: u64,
    /// The worker's time, in seconds of the Unix epoch.
    pub clock: f64,
    /// What has to be added to the worker's time to have the master's, and how wrong that may be, in seconds.
    pub offset: Option<(f64, f64)>,
}

impl Stamp {
    /// How many keys it writes.
    pub const KEYS: usize = 7;

    /// Write its keys into a map that has been begun.
    pub fn write(&self, writer: &mut Writer) {
        for (key, number) in
            [("instance", self.instance), ("sequence", self.sequence), ("test", self.test), ("counted", self.counted)]
        {
            writer.text(key);
            writer.count(number);
        }
        let (offset, error) = self.offset.unzip();
        for (key, number) in [("clock", Some(self.clock)), ("offset", offset), ("error", error)] {
            writer.text(key);
            writer.optional(number);
        }
    }

    /// The map of [`Stamp::write`]; what is in no key of its own is given to `other`.
    pub fn read<'a>(
        reader: &mut Reader<'a>,
        mut other: impl FnMut(&[u8], &mut Reader<'a>) -> Result<(), Malformed>,
    ) -> Result<Self, Malformed> {
        let (mut stamp, mut offset, mut error) = (Self::default(), None, None);
        for _ in 0..reader.map()? {
            let key = reader.key()?;
            match key {
                b"instance" => stamp.instance = reader.count()?,
                b"sequence" => stamp.sequence = reader.count()?,
                b"test" => stamp.test = reader.count()?,
                b"counted" => stamp.counted = reader.count()?,
                b"clock" => stamp.clock = moment(reader)?.unwrap_or(0.0),
                b"offset" => offset = finite(reader)?,
                b"error" => error = finite(reader)?,
                _ => other(key, reader)?,
            }
        }
        stamp.offset = offset.zip(error);
        Ok(stamp)
    }
}

/// A number; `None` for nil and for what is no finite number.
pub fn finite(reader: &mut Reader<'_>) -> Result<Option<f64>, Malformed> {
    if reader.skip_nil() {
        return Ok(None);
    }
    Ok(Some(reader.number()?).filter(|number| number.is_finite()))
}

/// A moment, in seconds of the Unix epoch. One that no table can hold is the nearest that it can.
pub fn moment(reader: &mut Reader<'_>) -> Result<Option<f64>, Malformed> {
    Ok(finite(reader)?.map(|number| number.clamp(0.0, f64::from(u32::MAX))))
}

impl Stamp {
    /// As a heartbeat carries it.
    pub fn to_value(self) -> Value {
        let optional = |number: Option<f64>| number.map_or(Value::Nil, Value::from);
        let (offset, error) = self.offset.unzip();
        let fields = [
            ("instance", self.instance.into()),
            ("sequence", self.sequence.into()),
            ("test", self.test.into()),
            ("counted", self.counted.into()),
            ("clock", self.clock.into()),
            ("offset", optional(offset)),
            ("error", optional(error)),
        ];
        Value::Map(fields.into_iter().map(|(key, value)| (key.into(), value)).collect())
    }

    /// Of such a map. What is missing is zero.
    pub fn of_value(map: &Value) -> Self {
        let count = |key| field(map, key).and_then(Value::as_u64).unwrap_or(0);
        let number = |key| field(map, key).and_then(Value::as_f64).filter(|number| number.is_finite());
        Self {
            instance: count("instance"),
            sequence: count("sequence"),
            test: count("test"),
            counted: count("counted"),
            clock: number("clock").unwrap_or(0.0),
            offset: number("offset").zip(number("error")),
        }
    }
}
