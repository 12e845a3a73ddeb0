//! The CSV files of a run, Locust's four and two of ours, kept up to date by a thread of their own, which Python never
//! holds up.
//!
//! A full disk ends no run: it is said once, the file keeps whole lines, and every pass tries again. Nor does a killed
//! process leave half a file: what is rewritten is replaced as a whole, what grows gets whole lines.

use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::background::{Background, Complain};
use super::csv::{
    ANNOTATIONS_HEADER, Columns, EXCEPTIONS_HEADER, FAILURES_HEADER, Record, annotations, encode, exceptions, failures,
    phases, phases_header,
};
use super::files::{Appended, Rewritten, Written};
use crate::stats::Table;
use crate::sync::held;

/// Make the files `{prefix}_stats.csv` and so on, with their directory, and write them until the thread is closed.
pub fn start(
    prefix: &str,
    columns: Columns,
    interval: Duration,
    table: Arc<Mutex<Table>>,
    complain: Complain,
) -> io::Result<Background> {
    let mut files = Files::create(prefix, columns)?;
    Background::start("csv", interval, move || files.pass(&table, &complain))
}

struct Files {
    columns: Columns,
    requests: Rewritten,
    history: Appended,
    failures: Rewritten,
    exceptions: Rewritten,
    phases: Rewritten,
    annotations: OnceThereIsOne,
    complained: bool,
}

/// A file that most runs have no use for: it is made with its first row.
#[derive(Debug)]
struct OnceThereIsOne {
    path: PathBuf,
    file: Option<Rewritten>,
}

impl OnceThereIsOne {
    /// What an earlier run left under this name is none of this one's.
    fn remove_old(path: PathBuf) -> io::Result<Self> {
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(Self { path, file: None }),
        }
    }

    fn write(&mut self, rows: Vec<Record>) -> Written {
        if self.file.is_none() && rows.is_empty() {
            return Ok(());
        }
        if self.file.is_none() {
            let file = Rewritten::create(&self.path, &encode([ANNOTATIONS_HEADER]));
            self.file = Some(file.map_err(|error| (self.path.clone(), error))?);
        }
        self.file.as_mut().map_or(Ok(()), |file| file.write(&encode(rows)))
    }
}

impl Files {
    fn create(prefix: &str, columns: Columns) -> io::Result<Self> {
        let path = |kind: &str| PathBuf::from(format!("{prefix}_{kind}.csv"));
        if let Some(folder) = path("stats").parent().filter(|folder| !folder.as_os_str().is_empty()) {
            std::fs::create_dir_all(folder)?;
        }
        Ok(Self {
            requests: Rewritten::create(&path("stats"), &encode([columns.requests_header()]))?,
            history: Appended::create(&path("stats_history"), &encode([columns.history_header()]))?,
            failures: Rewritten::create(&path("failures"), &encode([FAILURES_HEADER]))?,
            exceptions: Rewritten::create(&path("exceptions"), &encode([EXCEPTIONS_HEADER]))?,
            phases: Rewritten::create(&path("phases"), &encode([phases_header()]))?,
            annotations: OnceThereIsOne::remove_old(path("annotations"))?,
            columns,
            complained: false,
        })
    }

    fn pass(&mut self, table: &Mutex<Table>, complain: &Complain) {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64();
        let rows = Rows::of(table, &self.columns, now);
        let written = [
            self.requests.write(&encode(rows.requests)),
            self.history.write(&encode(rows.history)),
            self.failures.write(&encode(rows.failures)),
            self.exceptions.write(&encode(rows.exceptions)),
            self.phases.write(&encode(rows.phases)),
            self.annotations.write(rows.annotations),
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
    annotations: Vec<Record>,
}

impl Rows {
    fn of(table: &Mutex<Table>, columns: &Columns, now: f64) -> Self {
        let table = held(table);
        Self {
            requests: columns.requests(&table),
            history: columns.history(&table, now),
            failures: failures(&table),
            exceptions: exceptions(&table),
            phases: phases(&table),
            annotations: annotations(&table),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::console::tests::small_run;
    use super::*;
    use std::fs::read_to_string;
    use std::sync::mpsc;

    #[test]
    fn the_files_hold_the_last_state_when_closed() {
        let folder = tempfile::tempdir().unwrap();
        let prefix = folder.path().join("deep/run").display().to_string();
        let table = Arc::new(Mutex::new(Table::new(0.0, true)));
        let complain: Complain = Box::new(|message| assert!(message.is_empty(), "{message}"));
        let hour = Duration::from_hours(1);
        let mut files = start(&prefix, Columns::default(), hour, Arc::clone(&table), complain).unwrap();
        let annotated = PathBuf::from(format!("{prefix}_annotations.csv"));
        assert!(!annotated.exists());
        *table.lock().unwrap() = small_run();
        table.lock().unwrap().annotate("deploy \"v2\", at last", 1_767_225_600.25);
        files.close();
        assert_eq!(
            read_to_string(annotated).unwrap(),
            "Timestamp,User Count,Annotation\r\n1767225600.250,0,\"deploy \"\"v2\"\", at last\"\r\n"
        );
        let lines =
            |kind: &str| read_to_string(format!("{prefix}_{kind}.csv")).unwrap().split_terminator("\r\n").count();
        assert_eq!((lines("stats"), lines("failures"), lines("exceptions")), (5, 3, 1));
        assert_eq!(lines("stats_history"), 3);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_full_disk_is_said_once_and_ends_nothing() {
        let (sender, said) = mpsc::channel();
        let folder = tempfile::tempdir().unwrap();
        let mut files = Files::create(&folder.path().join("run").display().to_string(), Columns::default()).unwrap();
        files.history = Appended::full();
        let complain: Complain = Box::new(move |message| sender.send(message).unwrap());
        let table = Mutex::new(small_run());
        files.pass(&table, &complain);
        files.pass(&table, &complain);
        assert!(said.recv().unwrap().starts_with("cannot write `/dev/full`: "));
        assert!(said.try_recv().is_err());
    }
}
