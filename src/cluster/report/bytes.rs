//! `MessagePack` read and written where it lies: no value is built, nothing is allocated but what is written.

/// Why a report was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Malformed(pub String);

impl std::fmt::Display for Malformed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Malformed {}

/// Reads one value after another. What is no value of the wanted kind is refused, and so is what ends too early.
#[derive(Debug, Clone)]
pub struct Reader<'a> {
    bytes: &'a [u8],
}

type Read<T> = Result<T, Malformed>;

#[cold]
fn refuse<T>(text: &str) -> Read<T> {
    Err(Malformed(text.into()))
}

/// A count that is announced, where it is not more than this.
pub fn at_most(most: usize, count: usize) -> Read<usize> {
    if count > most { refuse(&format!("there are {count}, more than {most}")) } else { Ok(count) }
}

const ENDS: &str = "it ends in the middle of a value";

impl<'a> Reader<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes }
    }

    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// What is not read yet.
    pub fn rest(&self) -> &'a [u8] {
        self.bytes
    }

    #[inline]
    fn byte(&mut self) -> Read<u8> {
        let Some((first, rest)) = self.bytes.split_first() else { return refuse(ENDS) };
        self.bytes = rest;
        Ok(*first)
    }

    #[inline]
    fn take(&mut self, length: usize) -> Read<&'a [u8]> {
        let Some((taken, rest)) = self.bytes.split_at_checked(length) else { return refuse(ENDS) };
        self.bytes = rest;
        Ok(taken)
    }

    #[inline]
    fn array<const N: usize>(&mut self) -> Read<[u8; N]> {
        let Some((taken, rest)) = self.bytes.split_first_chunk() else { return refuse(ENDS) };
        self.bytes = rest;
        Ok(*taken)
    }

    /// A number of 1, 2, 4 or 8 bytes.
    #[inline]
    fn unsigned(&mut self, width: usize) -> Read<u64> {
        Ok(match width {
            1 => self.byte()?.into(),
            2 => u16::from_be_bytes(self.array()?).into(),
            4 => u32::from_be_bytes(self.array()?).into(),
            _ => u64::from_be_bytes(self.array()?),
        })
    }

    /// How many pairs follow.
    pub fn map(&mut self) -> Read<usize> {
        match self.byte()? {
            marker @ 0x80..=0x8f => Ok(usize::from(marker & 0xf)),
            0xde => Ok(self.unsigned(2)? as usize),
            0xdf => Ok(self.unsigned(4)? as usize),
            _ => refuse("a map was expected"),
        }
    }

    /// How many values follow.
    pub fn list(&mut self) -> Read<usize> {
        match self.byte()? {
            marker @ 0x90..=0x9f => Ok(usize::from(marker & 0xf)),
            0xdc => Ok(self.unsigned(2)? as usize),
            0xdd => Ok(self.unsigned(4)? as usize),
            _ => refuse("an array was expected"),
        }
    }

    /// A text's bytes, as names of keys are compared. Bytes are no name, as they are none in Python.
    #[inline]
    pub fn key(&mut self) -> Read<&'a [u8]> {
        let length = match self.byte()? {
            marker @ 0xa0..=0xbf => usize::from(marker & 0x1f),
            0xd9 => self.unsigned(1)? as usize,
            0xda => self.unsigned(2)? as usize,
            0xdb => self.unsigned(4)? as usize,
            _ => return refuse("a text was expected"),
        };
        self.take(length)
    }

    #[inline]
    pub fn bin(&mut self) -> Read<&'a [u8]> {
        let length = match self.byte()? {
            marker @ 0xc4..=0xc6 => self.unsigned(1 << (marker - 0xc4))? as usize,
            _ => return refuse("bytes were expected"),
        };
        self.take(length)
    }

    /// A text; nil is Python's word for it, as it is where somebody counts requests without a method.
    #[inline]
    pub fn text(&mut self) -> Read<&'a str> {
        if self.skip_nil() {
            return Ok("None");
        }
        std::str::from_utf8(self.key()?).or_else(|_| refuse("a text is not UTF-8"))
    }

    /// `true` where nil stood there, which then is read.
    #[inline]
    pub fn skip_nil(&mut self) -> bool {
        let is_nil = self.bytes.first() == Some(&0xc0);
        if is_nil {
            self.bytes = &self.bytes[1..];
        }
        is_nil
    }

    /// Any number.
    #[inline]
    pub fn number(&mut self) -> Read<f64> {
        Ok(match self.byte()? {
            marker @ 0..=0x7f => f64::from(marker),
            marker @ 0xe0..=0xff => f64::from(marker.cast_signed()),
            0xca => f64::from(f32::from_bits(self.unsigned(4)? as u32)),
            0xcb => f64::from_bits(self.unsigned(8)?),
            marker @ 0xcc..=0xcf => self.unsigned(1 << (marker - 0xcc))? as f64,
            marker @ 0xd0..=0xd3 => {
                let width = 1 << (marker - 0xd0);
                let unused = 64 - 8 * width as u32;
                ((self.unsigned(width)? << unused).cast_signed() >> unused) as f64
            }
            _ => return refuse("a number was expected"),
        })
    }

    /// A number of things: what is negative is none, and a fraction is left off.
    #[inline]
    pub fn count(&mut self) -> Read<u64> {
        match self.bytes.first() {
            Some(marker @ 0..=0x7f) => {
                self.bytes = &self.bytes[1..];
                Ok(u64::from(*marker))
            }
            Some(marker @ 0xcc..=0xcf) => {
                let width = 1 << (marker - 0xcc);
                self.bytes = &self.bytes[1..];
                self.unsigned(width)
            }
            _ => Ok(self.number()? as u64),
        }
    }

    /// Pass over one value, whatever it is.
    pub fn skip(&mut self) -> Read<()> {
        // Counted rather than recursed into: no depth can exhaust the stack.
        let mut left = 1u64;
        while left > 0 {
            left -= 1;
            let marker = self.byte()?;
            let length = match marker {
                0..=0x7f | 0xe0..=0xff | 0xc0 | 0xc2 | 0xc3 => 0,
                0x80..=0x8f => {
                    left += 2 * u64::from(marker & 0xf);
                    0
                }
                0x90..=0x9f => {
                    left += u64::from(marker & 0xf);
                    0
                }
                0xa0..=0xbf => u64::from(marker & 0x1f),
                0xc4..=0xc6 => self.unsigned(1 << (marker - 0xc4))?,
                0xc7..=0xc9 => self.unsigned(1 << (marker - 0xc7))? + 1,
                0xca => 4,
                0xcb => 8,
                0xcc..=0xcf => 1 << (marker - 0xcc),
                0xd0..=0xd3 => 1 << (marker - 0xd0),
                0xd4..=0xd8 => (1 << (marker - 0xd4)) + 1,
                0xd9..=0xdb => self.unsigned(1 << (marker - 0xd9))?,
                0xdc | 0xdd => {
                    left += self.unsigned(2 << (marker - 0xdc))?;
                    0
                }
                0xde | 0xdf => {
                    left += 2 * self.unsigned(2 << (marker - 0xde))?;
                    0
                }
                0xc1 => return refuse("a byte that begins no value"),
            };
            self.take(usize::try_from(length).unwrap_or(usize::MAX))?;
        }
        Ok(())
    }

    /// The bytes of the next value, which is passed over.
    pub fn value(&mut self) -> Read<&'a [u8]> {
        let before = self.bytes;
        self.skip()?;
        Ok(&before[..before.len() - self.bytes.len()])
    }
}

/// A map from number to number that was read once already: what is wrong in it ends it.
#[derive(Debug, Clone, Default)]
pub struct Pairs<'a>(&'a [u8]);

impl<'a> Pairs<'a> {
    /// Read it. One with more pairs than `most` is refused.
    pub fn read(reader: &mut Reader<'a>, most: usize) -> Read<Self> {
        let before = reader.bytes;
        for _ in 0..at_most(most, reader.map()?)? {
            reader.number()?;
            reader.count()?;
        }
        Ok(Self(&before[..before.len() - reader.bytes.len()]))
    }

    pub fn iter(&self) -> impl Iterator<Item = (f64, u64)> + use<'a> {
        let mut reader = Reader::new(self.0);
        let mut left = reader.map().unwrap_or(0);
        std::iter::from_fn(move || {
            left = left.checked_sub(1)?;
            Some((reader.number().ok()?, reader.count().ok()?))
        })
    }
}

/// Writes `MessagePack` as Locust's encoder does: every number in its shortest form.
#[derive(Debug, Default)]
pub struct Writer(pub Vec<u8>);

impl Writer {
    pub fn map(&mut self, pairs: usize) {
        self.head(pairs, 0x80, 16, [0xde, 0xdf]);
    }

    pub fn array(&mut self, values: usize) {
        self.head(values, 0x90, 16, [0xdc, 0xdd]);
    }

    fn head(&mut self, count: usize, short: u8, most: usize, long: [u8; 2]) {
        if count < most {
            self.0.push(short | count as u8);
        } else if let Ok(count) = u16::try_from(count) {
            self.0.push(long[0]);
            self.0.extend(count.to_be_bytes());
        } else {
            self.0.push(long[1]);
            self.0.extend((count as u32).to_be_bytes());
        }
    }

    pub fn text(&mut self, text: &str) {
        match u8::try_from(text.len()) {
            Ok(length @ 32..) => self.0.extend([0xd9, length]),
            _ => self.head(text.len(), 0xa0, 32, [0xda, 0xdb]),
        }
        self.0.extend(text.as_bytes());
    }

    pub fn bin(&mut self, bytes: &[u8]) {
        match u8::try_from(bytes.len()) {
            Ok(length) => self.0.extend([0xc4, length]),
            Err(_) => self.head(bytes.len(), 0, 0, [0xc5, 0xc6]),
        }
        self.0.extend(bytes);
    }

    pub fn nil(&mut self) {
        self.0.push(0xc0);
    }

    pub fn float(&mut self, number: f64) {
        self.0.push(0xcb);
        self.0.extend(number.to_be_bytes());
    }

    pub fn optional(&mut self, number: Option<f64>) {
        match number {
            Some(number) => self.float(number),
            None => self.nil(),
        }
    }

    pub fn count(&mut self, number: u64) {
        match number {
            0..=0x7f => self.0.push(number as u8),
            0x80..=0xff => self.0.extend([0xcc, number as u8]),
            0x100..=0xffff => {
                self.0.push(0xcd);
                self.0.extend((number as u16).to_be_bytes());
            }
            0x1_0000..=0xffff_ffff => {
                self.0.push(0xce);
                self.0.extend((number as u32).to_be_bytes());
            }
            _ => {
                self.0.push(0xcf);
                self.0.extend(number.to_be_bytes());
            }
        }
    }

    pub fn pairs(&mut self, pairs: impl ExactSizeIterator<Item = (u64, u64)>) {
        self.map(pairs.len());
        pairs.for_each(|(key, value)| {
            self.count(key);
            self.count(value);
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn lengths_have_the_shortest_form() {
        for length in [0, 1, 15, 16, 31, 32, 255, 256, 65_535, 65_536] {
            let mut writer = Writer::default();
            writer.map(length);
            writer.array(length);
            writer.text(&"x".repeat(length));
            writer.bin(&vec![1; length]);
            let mut reader = Reader::new(&writer.0);
            assert_eq!((reader.map().unwrap(), reader.list().unwrap()), (length, length));
            assert_eq!((reader.text().unwrap().len(), reader.bin().unwrap().len()), (length, length));
            assert!(reader.is_empty());
        }
        let mut writer = Writer::default();
        writer.text(&"x".repeat(40));
        assert_eq!(writer.0[..2], [0xd9, 40]);
        assert_eq!(Reader::new(&writer.0).bin(), refuse("bytes were expected"));
        writer.0[0] = 0xc4;
        assert_eq!(Reader::new(&writer.0).key(), refuse("a text was expected"));
    }

    #[test]
    fn negative_numbers_are_read() {
        let bytes = [0xff, 0xd0, 0x80, 0xd1, 0xff, 0xfe, 0xd2, 0xff, 0xff, 0xff, 0xfd, 0xd3, 0xff, 0xff, 0xff, 0xff];
        let mut reader = Reader::new(&bytes);
        let numbers: Vec<_> = (0..4).map(|_| reader.number().unwrap()).collect();
        assert_eq!(numbers, [-1.0, -128.0, -2.0, -3.0]);
        assert_eq!(reader.number(), refuse(ENDS));
        assert_eq!(Reader::new(&[0xff]).count(), Ok(0));
    }

    proptest! {
        #[test]
        fn numbers_come_back(count in any::<u64>(), number in any::<f64>(), shift in 0..64u32) {
            let mut writer = Writer::default();
            writer.count(count >> shift);
            writer.float(number);
            let mut reader = Reader::new(&writer.0);
            prop_assert_eq!(reader.count(), Ok(count >> shift));
            prop_assert_eq!(reader.number().unwrap().to_bits(), number.to_bits());
        }

        #[test]
        fn whatever_comes_is_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = Reader::new(&bytes).skip();
            let _ = Pairs::read(&mut Reader::new(&bytes), 50).map(|pairs| pairs.iter().count());
            let _ = Reader::new(&bytes).text();
        }
    }
}
