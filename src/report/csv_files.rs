//! The CSV files of a run, Locust's four and one of ours, kept up to date by a thread of their own, which Python never
//! holds up.
//!
//! A full disk ends no run: it is said once, the file keeps whole lines, and every pass tries again. Nor does a killed
//! process leave half a file: what is rewritten is replaced as a whole, what grows gets whole lines.

use std::fs::File;
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use super::csv::{
    Columns, EXCEPTIONS_HEADER, FAILURES_HEADER, Record, encode, exceptions, failures, phases, phases_header,
};
use crate::stats::Table;

/// Where somebody hears what went wrong.
pub type Complain = Box<dyn Fn(String) + Send>;

/// The files being written. Dropping it closes them as [`CsvFiles::close`] does.
#[derive(Debug)]
pub struct CsvFiles {
    stop: Option<mpsc::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl CsvFiles {
    /// Make the files `{prefix}_stats.csv` and so on, with their directory, and begin to write them.
    pub fn start(
        prefix: &str,
        columns: Columns,
        interval: Duration,
        table: Arc<Mutex<Table>>,
        complain: Complain,
    ) -> io::Result<Self> {
        let mut files = Files::create(prefix, columns)?;
        let (stop, stopped) = mpsc::channel();
        let work = move || {
            let mut due = Instant::now();
            loop {
                files.pass(&table, &complain);
                due = (due + interval).max(Instant::now());
                if stopped.recv_timeout(due.saturating_duration_since(Instant::now())) != Err(RecvTimeoutError::Timeout)
                {
                    break;
                }
            }
            files.pass(&table, &complain);
        };
        let thread = std::thread::Builder::new().name("csv".into()).spawn(work)?;
        Ok(Self { stop: Some(stop), thread: Some(thread) })
    }

    /// Write a last time, so that the files agree with the summary, and wait until that is done.
    pub fn close(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A panic in there has been reported by its own hook; there is nothing to add.
            let _ = thread.join();
        }
    }
}

impl Drop for CsvFiles {
    fn drop(&mut self) {
        self.close();
    }
}

struct Files {
    columns: Columns,
    requests: Rewritten,
    history: Appended,
    failures: Rewritten,
    exceptions: Rewritten,
    phases: Rewritten,
    complained: bool,
}

impl Files {
    fn create(prefix: &str, columns: Columns) -> io::Result<Self> {
        let path = |kind: &str| PathBuf::from(format!("{prefix}_{kind}.csv"));
        if let Some(folder) = path("stats").parent().filter(|folder| !folder.as_os_str().is_empty()) {
            std::fs::create_dir_all(folder)?;
        }
        Ok(Self {
            requests: Rewritten::create(&path("stats"), &columns.requests_header())?,
            history: Appended::create(&path("stats_history"), &columns.history_header())?,
            failures: Rewritten::create(&path("failures"), &FAILURES_HEADER)?,
            exceptions: Rewritten::create(&path("exceptions"), &EXCEPTIONS_HEADER)?,
            phases: Rewritten::create(&path("phases"), &phases_header())?,
            columns,
            complained: false,
        })
    }

    fn pass(&mut self, table: &Mutex<Table>, complain: &Complain) {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64();
        let rows = Rows::of(table, &self.columns, now);
        let written = [
            self.requests.write(rows.requests),
            self.history.write(rows.history),
            self.failures.write(rows.failures),
            self.exceptions.write(rows.exceptions),
            self.phases.write(rows.phases),
        ];
        if let Some((path, error)) = written.into_iter().find_map(Result::err)
            && !self.complained
        {
            self.complained = true;
            complain(format!(
                "cannot write `{}`: {error}; the run goes on, and its figures are kept in memory",
                path.display()
            ));
        }
    }
}

/// One moment of the table: the lock is held for this only, not for encoding or the disk.
struct Rows {
    requests: Vec<Record>,
    history: Vec<Record>,
    failures: Vec<Record>,
    exceptions: Vec<Record>,
    phases: Vec<Record>,
}

impl Rows {
    fn of(table: &Mutex<Table>, columns: &Columns, now: f64) -> Self {
        let table = table.lock().unwrap_or_else(PoisonError::into_inner);
        Self {
            requests: columns.requests(&table),
            history: columns.history(&table, now),
            failures: failures(&table),
            exceptions: exceptions(&table),
            phases: phases(&table),
        }
    }
}

type Written = Result<(), (PathBuf, io::Error)>;

/// A file whose rows are written anew at each pass: beside it, and then put in its place. Whoever kills the process, and
/// whoever reads meanwhile, finds the rows of one pass or of the next, never half of each.
struct Rewritten {
    path: PathBuf,
    header: Vec<u8>,
    /// What a pass writes first; `None` where the path leads to no ordinary file, which is written in place.
    part: Option<PathBuf>,
}

impl Rewritten {
    fn create(path: &Path, header: &[impl AsRef<[u8]>]) -> io::Result<Self> {
        let header = encode([header]);
        File::create(path)?.write_all(&header)?;
        // Through links, so that one is not replaced by what it leads to.
        let path = path.canonicalize()?;
        let part = path.is_file().then(|| PathBuf::from(format!("{}.part", path.display())));
        Ok(Self { path, header, part })
    }

    fn write(&mut self, records: Vec<Record>) -> Written {
        let mut content = self.header.clone();
        content.extend(encode(records));
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
struct Appended {
    path: PathBuf,
    file: File,
    whole: u64,
}

impl Appended {
    fn create(path: &Path, header: &[impl AsRef<[u8]>]) -> io::Result<Self> {
        let (file, whole) = create(path, header)?;
        Ok(Self { path: path.into(), file, whole })
    }

    fn write(&mut self, records: Vec<Record>) -> Written {
        self.try_write(&encode(records)).map_err(|error| (self.path.clone(), error))
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

fn create(path: &Path, header: &[impl AsRef<[u8]>]) -> io::Result<(File, u64)> {
    let mut file = File::create(path)?;
    let header = encode([header]);
    file.write_all(&header)?;
    Ok((file, header.len() as u64))
}

#[cfg(test)]
mod tests {
    use super::super::console::tests::small_run;
    use super::*;
    use std::fs::read_to_string;

    #[test]
    fn the_files_hold_the_last_state_when_closed() {
        let folder = tempfile::tempdir().unwrap();
        let prefix = folder.path().join("deep/run").display().to_string();
        let table = Arc::new(Mutex::new(Table::new(0.0, true)));
        let complain: Complain = Box::new(|message| assert!(message.is_empty(), "{message}"));
        let hour = Duration::from_hours(1);
        let mut files = CsvFiles::start(&prefix, Columns::default(), hour, Arc::clone(&table), complain).unwrap();
        *table.lock().unwrap() = small_run();
        files.close();
        let lines =
            |kind: &str| read_to_string(format!("{prefix}_{kind}.csv")).unwrap().split_terminator("\r\n").count();
        assert_eq!((lines("stats"), lines("failures"), lines("exceptions")), (5, 3, 1));
        assert_eq!(lines("stats_history"), 3);
    }

    #[test]
    fn a_shorter_table_leaves_nothing_of_the_longer_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("stats.csv");
        let mut file = Rewritten::create(&path, &["A"]).unwrap();
        file.write(vec![vec!["long".into()], vec!["longer".into()]]).unwrap();
        file.write(vec![vec!["x".into()]]).unwrap();
        assert_eq!(read_to_string(path).unwrap(), "A\r\nx\r\n");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "nothing else is left there");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_full_disk_is_said_once_and_ends_nothing() {
        let (sender, said) = mpsc::channel();
        let full = || Appended { path: "/dev/full".into(), file: File::create("/dev/full").unwrap(), whole: 0 };
        let folder = tempfile::tempdir().unwrap();
        let mut files = Files::create(&folder.path().join("run").display().to_string(), Columns::default()).unwrap();
        files.history = full();
        let complain: Complain = Box::new(move |message| sender.send(message).unwrap());
        let table = Mutex::new(small_run());
        files.pass(&table, &complain);
        files.pass(&table, &complain);
        assert!(said.recv().unwrap().starts_with("cannot write `/dev/full`: "));
        assert!(said.try_recv().is_err());
    }
}
