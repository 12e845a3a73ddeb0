//! Rows of a file: CSV, or a JSON text a line. They are read as they are needed, and not checked beforehand.
//!
//! A row of CSV becomes its fields one after another, each behind its length; [`fields`] takes it apart again. A line
//! of JSON stays as it is: who takes it, reads it.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;

use super::{Broken, Row, Source};

const BUFFER: usize = 1 << 16;
const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

type Input = Box<dyn Read + Send>;

/// How to read a file of CSV.
#[derive(Debug, Clone)]
pub struct Format {
    pub delimiter: u8,
    /// The names of the columns, where the first line does not have them.
    pub columns: Option<Vec<String>>,
}

pub struct Csv {
    path: PathBuf,
    format: Format,
    columns: Vec<String>,
    reader: csv::Reader<Input>,
    record: csv::StringRecord,
    packed: Vec<u8>,
    count: u64,
    pass: u64,
}

impl Csv {
    pub fn open(path: &Path, format: Format) -> Result<Self, Broken> {
        let (reader, columns) = Self::begin_to_read(path, &format)?;
        Ok(Self {
            path: path.into(),
            format,
            columns,
            reader,
            record: csv::StringRecord::new(),
            packed: Vec::new(),
            count: 0,
            pass: 1,
        })
    }

    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    fn begin_to_read(path: &Path, format: &Format) -> Result<(csv::Reader<Input>, Vec<String>), Broken> {
        let mut reader = csv::ReaderBuilder::new()
            .buffer_capacity(BUFFER)
            .delimiter(format.delimiter)
            .has_headers(format.columns.is_none())
            .flexible(true)
            .from_reader(open(path)?);
        let columns = match &format.columns {
            Some(columns) => columns.clone(),
            None => reader
                .headers()
                .map_err(|error| unreadable(path, &error))?
                .iter()
                .map(|name| name.trim().to_owned())
                .collect(),
        };
        check_columns(path, &columns)?;
        Ok((reader, columns))
    }
}

impl<C: for<'row> From<&'row [u8]>> Source<C> for Csv {
    fn next(&mut self) -> Result<Option<Row<C>>, Broken> {
        let line = self.reader.position().line();
        if !self.reader.read_record(&mut self.record).map_err(|error| unreadable(&self.path, &error))? {
            return Ok(None);
        }
        if self.record.len() != self.columns.len() {
            let (found, wanted) = (self.record.len(), self.columns.len());
            let line = self.record.position().map_or(line, csv::Position::line);
            return Err(Broken(format!(
                "{}, line {line}: {found} fields, where there are {wanted} columns",
                self.path.display()
            )));
        }
        self.packed.clear();
        for field in &self.record {
            self.packed.extend_from_slice(&(field.len() as u32).to_le_bytes());
            self.packed.extend_from_slice(field.as_bytes());
        }
        self.count += 1;
        Ok(Some(Row { number: self.count, pass: self.pass, content: C::from(&self.packed) }))
    }

    fn begin(&mut self, pass: u64) -> Result<(), Broken> {
        (self.reader, self.columns) = Self::begin_to_read(&self.path, &self.format)?;
        (self.count, self.pass) = (0, pass);
        Ok(())
    }
}

/// The fields of a row of CSV; those that are there, where it is none.
pub fn fields(mut row: &[u8]) -> impl Iterator<Item = &str> {
    std::iter::from_fn(move || {
        let (length, rest) = row.split_first_chunk::<4>()?;
        let (field, rest) = rest.split_at_checked(u32::from_le_bytes(*length) as usize)?;
        row = rest;
        std::str::from_utf8(field).ok()
    })
}

pub struct JsonLines {
    path: PathBuf,
    reader: BufReader<Input>,
    line: Vec<u8>,
    count: u64,
    pass: u64,
}

impl JsonLines {
    pub fn open(path: &Path) -> Result<Self, Broken> {
        let reader = BufReader::with_capacity(BUFFER, open(path)?);
        Ok(Self { path: path.into(), reader, line: Vec::new(), count: 0, pass: 1 })
    }
}

impl<C: for<'row> From<&'row [u8]>> Source<C> for JsonLines {
    fn next(&mut self) -> Result<Option<Row<C>>, Broken> {
        loop {
            self.line.clear();
            let read =
                self.reader.read_until(b'\n', &mut self.line).map_err(|error| cannot_read(&self.path, &error))?;
            if read == 0 {
                return Ok(None);
            }
            let line = self.line.trim_ascii();
            if !line.is_empty() {
                self.count += 1;
                return Ok(Some(Row { number: self.count, pass: self.pass, content: C::from(line) }));
            }
        }
    }

    fn begin(&mut self, pass: u64) -> Result<(), Broken> {
        *self = Self { pass, ..Self::open(&self.path)? };
        Ok(())
    }
}

/// Read this file, unpacked where it ends in `.gz`, without the mark that Windows writes before UTF-8.
fn open(path: &Path) -> Result<Input, Broken> {
    let file = File::open(path).map_err(|error| cannot_read(path, &error))?;
    let whole: Input = match path.extension() {
        Some(extension) if extension == "gz" => Box::new(MultiGzDecoder::new(BufReader::with_capacity(BUFFER, file))),
        _ => Box::new(file),
    };
    without_mark(whole).map_err(|error| cannot_read(path, &error))
}

fn without_mark(mut whole: Input) -> io::Result<Input> {
    let mut start = Vec::new();
    whole.by_ref().take(BYTE_ORDER_MARK.len() as u64).read_to_end(&mut start)?;
    if start == BYTE_ORDER_MARK {
        start.clear();
    }
    Ok(Box::new(io::Cursor::new(start).chain(whole)))
}

fn check_columns(path: &Path, columns: &[String]) -> Result<(), Broken> {
    if columns.is_empty() || columns == [""] {
        return Err(Broken(format!("{}: the first line names no columns", path.display())));
    }
    match columns.iter().enumerate().find(|(place, name)| columns[..*place].contains(name)) {
        Some((_, twice)) => Err(Broken(format!("{}: two columns have the name {twice:?}", path.display()))),
        None => Ok(()),
    }
}

fn cannot_read(path: &Path, error: &io::Error) -> Broken {
    Broken(format!("cannot read {}: {}", path.display(), told(error)))
}

/// Without the number that Rust puts behind what the system says.
fn told(error: &io::Error) -> String {
    let text = error.to_string();
    text.split_once(" (os error").map_or(text.clone(), |(before, _)| before.to_owned())
}

fn unreadable(path: &Path, error: &csv::Error) -> Broken {
    match (error.kind(), error.position()) {
        (csv::ErrorKind::Io(error), _) => cannot_read(path, error),
        (csv::ErrorKind::Utf8 { .. }, Some(position)) => Broken(format!(
            "{}, line {}: this is no UTF-8; `encoding=` says what it is",
            path.display(),
            position.line()
        )),
        _ => Broken(format!("{}: {error}", path.display())),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn file(name: &str, content: &[u8]) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        (folder, path)
    }

    fn plain() -> Format {
        Format { delimiter: b',', columns: None }
    }

    fn rows(source: &mut dyn Source<Vec<u8>>) -> Result<Vec<Vec<u8>>, Broken> {
        std::iter::from_fn(|| source.next().transpose()).map(|row| Ok(row?.content)).collect()
    }

    fn csv_rows(content: &[u8], format: Format) -> Result<Vec<Vec<String>>, Broken> {
        let (_folder, path) = file("rows.csv", content);
        let rows = rows(&mut Csv::open(&path, format)?)?;
        Ok(rows.iter().map(|row| fields(row).map(str::to_owned).collect()).collect())
    }

    #[test]
    fn fields_may_be_quoted_and_have_lines_in_them() {
        let rows = csv_rows(b"\xEF\xBB\xBFname, word \n\"a, b\",\"two\nlines \"\"here\"\"\"\n\n,\n", plain()).unwrap();
        assert_eq!(rows, [["a, b", "two\nlines \"here\""], ["", ""]]);
    }

    #[test]
    fn columns_may_be_named_and_parted_otherwise() {
        let format = Format { delimiter: b';', columns: Some(vec!["a".into(), "b".into()]) };
        assert_eq!(csv_rows(b"1;2\n3;4", format).unwrap(), [["1", "2"], ["3", "4"]]);
    }

    #[test]
    fn a_mistake_is_told_with_its_line() {
        let broken = |content: &[u8]| csv_rows(content, plain()).unwrap_err().0;
        assert!(broken(b"a,b\n1,2\n3\n").ends_with("rows.csv, line 3: 1 fields, where there are 2 columns"));
        assert!(broken(b"a,b\n1,2\n\xFF,2\n").contains("line 3: this is no UTF-8"));
        assert!(broken(b"a,a\n").ends_with("two columns have the name \"a\""));
        assert!(broken(b"").ends_with("the first line names no columns"));
        let missing = Csv::open(Path::new("/nowhere/rows.csv"), plain()).err().unwrap();
        assert_eq!(missing.0, "cannot read /nowhere/rows.csv: No such file or directory");
    }

    #[test]
    fn lines_of_json_are_handed_on_as_they_are() {
        let (_folder, path) = file("rows.jsonl", b"\xEF\xBB\xBF{\"a\": 1}\r\n\n  [2]");
        let mut lines = JsonLines::open(&path).unwrap();
        assert_eq!(rows(&mut lines).unwrap(), [&b"{\"a\": 1}"[..], b"[2]"]);
        Source::<Vec<u8>>::begin(&mut lines, 2).unwrap();
        assert_eq!(rows(&mut lines).unwrap().len(), 2);
    }

    #[test]
    fn packed_files_are_unpacked() {
        let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        packer.write_all(b"a\n1\n2\n").unwrap();
        let (_folder, path) = file("rows.csv.gz", &packer.finish().unwrap());
        assert_eq!(rows(&mut Csv::open(&path, plain()).unwrap()).unwrap().len(), 2);
    }
}
