//! Files that are whole at every moment: one that is rewritten and one that grows.

use std::fs::File;
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// Whether it could be written, and which file it was.
pub type Written = Result<(), (PathBuf, io::Error)>;

/// A file whose rows are written anew at each pass: beside it, and then put in its place. Whoever kills the process, and
/// whoever reads meanwhile, finds the rows of one pass or of the next, never half of each.
#[derive(Debug)]
pub struct Rewritten {
    path: PathBuf,
    header: Vec<u8>,
    /// What a pass writes first; `None` where the path leads to no ordinary file, which is written in place.
    part: Option<PathBuf>,
}

impl Rewritten {
    pub fn create(path: &Path, header: &[u8]) -> io::Result<Self> {
        File::create(path)?.write_all(header)?;
        // Through links, so that one is not replaced by what it leads to.
        let path = path.canonicalize()?;
        let part = path.is_file().then(|| PathBuf::from(format!("{}.part", path.display())));
        Ok(Self { path, header: header.to_vec(), part })
    }

    /// The header and these rows, and nothing else.
    pub fn write(&mut self, rows: &[u8]) -> Written {
        let content = [&self.header, rows].concat();
        self.replace(&content).map_err(|error| (self.path.clone(), error))
    }

    fn replace(&mut self, content: &[u8]) -> io::Result<()> {
        let Some(part) = &self.part else { return std::fs::write(&self.path, content) };
        let mut file = match File::create(part) {
            // A folder that takes no new file: then this one in place.
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                self.part = None;
                return self.replace(content);
            }
            created => created?,
        };
        let written = file.write_all(content).and_then(|()| std::fs::rename(part, &self.path));
        if written.is_err() {
            // It is in the way of whatever else wants the space. What keeps it from being removed is told already.
            let _ = std::fs::remove_file(part);
        }
        written
    }
}

/// A file that only grows, by whole lines.
#[derive(Debug)]
pub struct Appended {
    path: PathBuf,
    file: File,
    header: u64,
    whole: u64,
}

impl Appended {
    pub fn create(path: &Path, header: &[u8]) -> io::Result<Self> {
        let mut file = File::create(path)?;
        file.write_all(header)?;
        let whole = header.len() as u64;
        Ok(Self { path: path.into(), file, header: whole, whole })
    }

    /// Forget all but the header.
    pub fn begin_anew(&mut self) -> Written {
        self.file.set_len(self.header).map_err(|error| (self.path.clone(), error))?;
        self.whole = self.header;
        Ok(())
    }

    pub fn write(&mut self, rows: &[u8]) -> Written {
        self.try_write(rows).map_err(|error| (self.path.clone(), error))
    }

    fn try_write(&mut self, rows: &[u8]) -> io::Result<()> {
        self.file.seek(SeekFrom::Start(self.whole))?;
        if let Err(error) = self.file.write_all(rows) {
            self.file.set_len(self.whole)?;
            return Err(error);
        }
        self.whole += rows.len() as u64;
        Ok(())
    }
}

#[cfg(test)]
impl Appended {
    /// One whose disk is full.
    pub fn full() -> Self {
        Self { path: "/dev/full".into(), file: File::create("/dev/full").unwrap(), header: 0, whole: 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::read_to_string;

    #[test]
    fn what_is_shorter_leaves_nothing_of_what_was_longer() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("stats.csv");
        let mut file = Rewritten::create(&path, b"A\r\n").unwrap();
        file.write(b"long\r\nlonger\r\n").unwrap();
        file.write(b"x\r\n").unwrap();
        assert_eq!(read_to_string(path).unwrap(), "A\r\nx\r\n");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "nothing else is left there");
    }

    #[test]
    fn what_grows_can_begin_anew() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("history.csv");
        let mut file = Appended::create(&path, b"A\n").unwrap();
        file.write(b"1\n").unwrap();
        file.write(b"2\n").unwrap();
        assert_eq!(read_to_string(&path).unwrap(), "A\n1\n2\n");
        file.begin_anew().unwrap();
        file.write(b"3\n").unwrap();
        assert_eq!(read_to_string(&path).unwrap(), "A\n3\n");
    }

    #[test]
    fn a_link_stays_one() {
        let folder = tempfile::tempdir().unwrap();
        let (link, path) = (folder.path().join("link.csv"), folder.path().join("file.csv"));
        File::create(&path).unwrap();
        std::os::unix::fs::symlink(&path, &link).unwrap();
        Rewritten::create(&link, b"A\n").unwrap().write(b"1\n").unwrap();
        assert!(link.is_symlink());
        assert_eq!(read_to_string(path).unwrap(), "A\n1\n");
    }
}
