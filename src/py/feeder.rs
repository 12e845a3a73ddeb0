//! Feeders as Python sees them: the rows that users take, and the ledger of who owns the data.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Instant;

use pyo3::exceptions::{PyOSError, PyStopIteration, PyValueError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBytes, PyDict, PyList, PyString};

use crate::feeder::file::{Csv, Format, JsonLines, fields};
use crate::feeder::{
    Answer, Broken, Content, Given, Ledger, Outgoing, Request, Row, Shuffled, Source, Stock, Tickets, order, pack,
    unpack,
};
use crate::sync::held;

/// What a row has in it, until it is made a Python object.
#[derive(Clone, Default)]
enum Cell {
    #[default]
    Nothing,
    Bytes(Arc<[u8]>),
    /// Shared, because a ledger keeps what it hands out. It is only touched where Python runs.
    Object(Arc<Py<PyAny>>),
}

impl From<&[u8]> for Cell {
    fn from(bytes: &[u8]) -> Self {
        Self::Bytes(bytes.into())
    }
}

impl Content for Cell {
    fn bytes(&self) -> usize {
        match self {
            Self::Bytes(bytes) => bytes.len(),
            Self::Nothing | Self::Object(_) => 0,
        }
    }
}

/// `(life, number, kept, used, wants, starves)`
type RequestParts = (u64, u64, u64, u64, usize, bool);
/// `(worker, life, number, kind, payload)`
type OutgoingParts<'py> = (String, u64, u64, &'static str, Bound<'py, PyAny>);

fn parts(request: Request) -> RequestParts {
    (request.life, request.number, request.kept, request.used, request.wants, request.starves)
}

/// What bytes are.
#[derive(Clone)]
enum Form {
    Json,
    /// A row of CSV: the names of its columns.
    Fields(Arc<[Py<PyString>]>),
}

/// Behind a mutex. While it is held, no Python object is made or dropped: that may run a destructor which takes a row
/// itself, or switches to a user who does.
struct Inside {
    stock: Stock<Cell>,
    form: Form,
    /// Rows come from somewhere else, and are asked for before there are none.
    is_remote: bool,
}

/// The rows that are at hand in this process. `gregaria.Feeder` is a subclass: it has `_wait()`, which is called where there are
/// none, and tells whether to look again, and `_refill()`, which asks for more ahead of time.
#[pyclass(frozen, subclass, weakref, module = "gregaria._engine")]
pub struct FeederBase {
    inside: Mutex<Inside>,
    began: Instant,
}

#[pymethods]
impl FeederBase {
    #[new]
    #[pyo3(signature = (*_arguments, **_keywords))]
    fn new(_arguments: &Bound<'_, PyAny>, _keywords: Option<&Bound<'_, PyDict>>) -> Self {
        let inside = Inside { stock: Stock::default(), form: Form::Json, is_remote: false };
        Self { inside: Mutex::new(inside), began: Instant::now() }
    }

    fn __iter__(this: Py<Self>) -> Py<Self> {
        this
    }

    fn __next__<'py>(this: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        match Self::take(this)? {
            Some(row) => this.get().object(this, &row),
            None => Err(PyStopIteration::new_err(())),
        }
    }

    /// A test begins, with rows from somewhere else if `is_remote`. Returns the request by which the owner hears of it.
    fn _begin(&self, is_remote: bool) -> RequestParts {
        let mut inside = self.inside();
        inside.is_remote = is_remote;
        let left = inside.stock.take_all();
        let request = inside.stock.begin();
        drop(inside);
        drop(left);
        parts(request)
    }

    /// What rows are, where they come as bytes: of these columns, or JSON.
    fn _shape(&self, py: Python<'_>, columns: Option<Vec<String>>) {
        let form = columns.map_or(Form::Json, |columns| {
            Form::Fields(columns.iter().map(|name| PyString::intern(py, name).unbind()).collect())
        });
        self.inside().form = form;
    }

    /// What to send where so many users wait, or rows will soon be used up; `None` where nothing is to be sent.
    fn _ask(&self, waiting: usize) -> Option<RequestParts> {
        self.inside().stock.ask(self.began.elapsed(), waiting).map(parts)
    }

    /// What was sent and not answered.
    fn _ask_again(&self) -> Option<RequestParts> {
        self.inside().stock.ask_again().map(parts)
    }

    /// Give back half of what is not needed, and nothing that one of so many users waits for.
    fn _spare(&self, waiting: usize) -> Option<RequestParts> {
        self.inside().stock.spare(waiting).map(parts)
    }

    /// Give back everything.
    fn _leave(&self) -> Option<RequestParts> {
        self.inside().stock.leave().map(parts)
    }

    /// Take an answer; false for one to no open request. `payload` is what `Ledger` gave. Raises `ValueError` for what is none.
    fn _arrive(&self, life: u64, number: u64, kind: &str, payload: &Bound<'_, PyAny>) -> PyResult<bool> {
        let answer = match kind {
            "rows" => Answer::Rows(rows(payload)?),
            "end" => Answer::End,
            "stale" => Answer::Stale,
            "broken" => Answer::Broken(Broken(payload.extract()?)),
            _ => return Err(PyValueError::new_err(format!("no answer of a ledger: {kind}"))),
        };
        Ok(self.inside().stock.arrive(life, number, answer))
    }

    /// Put in a row: an object, its number and pass.
    fn _put(&self, number: u64, pass_: u64, row: Py<PyAny>) {
        self.inside().stock.put(Row { number, pass: pass_, content: Cell::Object(Arc::new(row)) });
    }

    /// How many rows are at hand.
    fn _at_hand(&self) -> usize {
        self.inside().stock.len()
    }

    /// Whether no more will come.
    #[getter]
    fn _is_ended(&self) -> bool {
        self.inside().stock.is_ended()
    }

    /// Why there are no rows, if the data could not be read.
    #[getter]
    fn _broken(&self) -> Option<String> {
        self.inside().stock.broken().map(ToString::to_string)
    }

    /// The stream, and how many of its rows were used.
    #[getter]
    fn _progress(&self) -> (u64, u64) {
        self.inside().stock.progress()
    }
}

impl FeederBase {
    fn inside(&self) -> MutexGuard<'_, Inside> {
        held(&self.inside)
    }

    /// The next row; parks the user until there is one. Nothing of this is held meanwhile.
    fn take(this: &Bound<'_, Self>) -> PyResult<Option<Row<Cell>>> {
        let py = this.py();
        loop {
            let mut inside = this.get().inside();
            let row = inside.stock.take();
            let is_due = inside.is_remote && inside.stock.is_low();
            drop(inside);
            if is_due {
                this.call_method0(intern!(py, "_refill"))?;
            }
            if row.is_some() {
                return Ok(row);
            }
            if !this.call_method0(intern!(py, "_wait"))?.is_truthy()? {
                return Ok(None);
            }
        }
    }

    /// Whether something may begin for which there are so many tickets.
    pub fn take_ticket(this: &Bound<'_, Self>) -> PyResult<bool> {
        Ok(Self::take(this)?.is_some())
    }

    pub fn at_hand(&self) -> u64 {
        self.inside().stock.len() as u64
    }

    fn object<'py>(&self, this: &Bound<'py, Self>, row: &Row<Cell>) -> PyResult<Bound<'py, PyAny>> {
        let py = this.py();
        let bytes = match &row.content {
            Cell::Object(object) => return Ok(object.bind(py).clone()),
            Cell::Nothing => return Ok(py.None().into_bound(py)),
            Cell::Bytes(bytes) => bytes,
        };
        let form = self.inside().form.clone();
        if let Form::Fields(columns) = form {
            let dict = PyDict::new(py);
            for (column, field) in columns.iter().zip(fields(bytes)) {
                dict.set_item(column.bind(py), PyString::new(py, field))?;
            }
            return Ok(dict.into_any());
        }
        let read = PyString::from_bytes(py, bytes).and_then(|text| read_json(&text));
        read.or_else(|error| this.call_method1(intern!(py, "_unreadable"), (row.number, error)))
    }
}

/// What `json.loads` says, by the scanner behind it: half of its time goes into getting there.
fn read_json<'py>(text: &Bound<'py, PyString>) -> PyResult<Bound<'py, PyAny>> {
    static SCAN: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let py = text.py();
    let scan = SCAN.get_or_try_init(py, || {
        let decoder = py.import("json")?.getattr("JSONDecoder")?.call0()?;
        Ok::<_, PyErr>(decoder.getattr("scan_once")?.unbind())
    })?;
    if let Ok(scanned) = scan.bind(py).call1((text, 0)) {
        let (read, end): (Bound<'py, PyAny>, usize) = scanned.extract()?;
        if end == text.len()? {
            return Ok(read);
        }
    }
    // To be told what is wrong with it.
    py.import("json")?.getattr("loads")?.call1((text,))
}

/// Rows out of a message: packed bytes, or a list of `(number, pass, object)`.
fn rows(payload: &Bound<'_, PyAny>) -> PyResult<Vec<Row<Cell>>> {
    if let Ok(bytes) = payload.cast::<PyBytes>() {
        let rows = unpack(bytes.as_bytes()).ok_or_else(|| PyValueError::new_err("a block of rows that is none"))?;
        return Ok(rows
            .into_iter()
            .map(|row| Row { number: row.number, pass: row.pass, content: row.content.into() })
            .collect());
    }
    if let Ok(count) = payload.extract::<u64>() {
        return Ok((0..count).map(|_| Row { number: 0, pass: 1, content: Cell::Nothing }).collect());
    }
    let listed: Vec<(u64, u64, Py<PyAny>)> = payload.extract()?;
    let cells = listed.into_iter().map(|(number, pass, row)| (number, pass, Cell::Object(Arc::new(row))));
    Ok(cells.map(|(number, pass, content)| Row { number, pass, content }).collect())
}

/// What is handed out, and who holds what. Used by one greenlet at a time.
#[pyclass(frozen, name = "Ledger", module = "gregaria._engine")]
pub struct PyLedger {
    ledger: Mutex<Ledger<Cell>>,
    /// Of CSV.
    columns: Option<Vec<String>>,
}

#[pymethods]
impl PyLedger {
    /// The rows of a file of CSV, in the order of lots that `seed` draws if there is one; over and over if it `recycles`.
    ///
    /// Raises `OSError` where it cannot be read, and for columns that cannot be.
    #[staticmethod]
    #[pyo3(signature = (path, delimiter, columns, seed, recycles))]
    fn csv(
        path: PathBuf,
        delimiter: u8,
        columns: Option<Vec<String>>,
        seed: Option<u64>,
        recycles: bool,
    ) -> PyResult<Self> {
        let file = Csv::open(&path, Format { delimiter, columns }).map_err(unreadable)?;
        let columns = Some(file.columns().to_vec());
        Ok(Self { columns, ..Self::of_file(file, seed, recycles)? })
    }

    /// The rows of a file with a JSON text a line.
    #[staticmethod]
    #[pyo3(signature = (path, seed, recycles))]
    fn json_lines(path: PathBuf, seed: Option<u64>, recycles: bool) -> PyResult<Self> {
        Self::of_file(JsonLines::open(&path).map_err(unreadable)?, seed, recycles)
    }

    /// Rows that are brought by `bring` when there is a `shortage`.
    #[staticmethod]
    fn given() -> Self {
        Self::new(Box::new(Given::default()), false)
    }

    /// So many rows without content.
    #[staticmethod]
    fn tickets(count: u64) -> Self {
        Self::new(Box::new(Tickets::new(count)), false)
    }

    /// The names of the columns of CSV.
    #[getter]
    fn columns(&self) -> Option<Vec<String>> {
        self.columns.clone()
    }

    /// Put up to `count` rows into a feeder of this process. How many there were; raises `OSError` where the data are broken.
    fn fill(&self, feeder: &Bound<'_, FeederBase>, count: usize) -> PyResult<usize> {
        let rows = self.ledger().take(count).map_err(unreadable)?;
        let mut inside = feeder.get().inside();
        let taken = rows.len();
        rows.into_iter().for_each(|row| inside.stock.put(row));
        Ok(taken)
    }

    /// A worker's request, and what is to be answered: to it, or to others.
    fn request<'py>(&self, py: Python<'py>, worker: &str, request: RequestParts) -> PyResult<Vec<OutgoingParts<'py>>> {
        let (life, number, kept, used, wants, starves) = request;
        let answers = self.ledger().request(worker, Request { life, number, kept, used, wants, starves });
        outgoing(py, answers)
    }

    /// The same of a worker that was lost: it gets no answer.
    fn request_of_lost<'py>(
        &self,
        py: Python<'py>,
        worker: &str,
        request: RequestParts,
    ) -> PyResult<Vec<OutgoingParts<'py>>> {
        let (life, number, kept, used, wants, starves) = request;
        let answers = self.ledger().request_of_lost(worker, Request { life, number, kept, used, wants, starves });
        outgoing(py, answers)
    }

    fn note_used<'py>(&self, py: Python<'py>, worker: &str, life: u64, used: u64) -> PyResult<Vec<OutgoingParts<'py>>> {
        let answers = self.ledger().note_used(worker, life, used);
        outgoing(py, answers)
    }

    fn lose<'py>(&self, py: Python<'py>, worker: &str) -> PyResult<Vec<OutgoingParts<'py>>> {
        let answers = self.ledger().lose(worker);
        outgoing(py, answers)
    }

    fn find(&self, worker: &str) {
        self.ledger().find(worker);
    }

    fn shortage(&self, wanted: usize) -> usize {
        self.ledger().shortage(wanted)
    }

    fn bring(&self, number: u64, pass_: u64, row: Py<PyAny>) {
        self.ledger().bring(Row { number, pass: pass_, content: Cell::Object(Arc::new(row)) });
    }

    fn close(&self) {
        self.ledger().close();
    }

    fn give_up(&self, reason: String) {
        self.ledger().give_up(Broken(reason));
    }

    fn spares(&self) -> Vec<String> {
        self.ledger().spares().into_iter().map(str::to_owned).collect()
    }

    #[getter]
    fn used(&self) -> u64 {
        self.ledger().used()
    }

    #[getter]
    fn is_spent(&self) -> bool {
        self.ledger().is_spent()
    }

    /// `[(worker, [(number, pass)])]`: what workers hold of which they have not told whether it was used.
    fn in_doubt(&self) -> Vec<(String, Vec<(u64, u64)>)> {
        let doubts = self.ledger().in_doubt();
        let numbers = |rows: Vec<Row<Cell>>| rows.iter().map(|row| (row.number, row.pass)).collect();
        doubts.into_iter().map(|doubt| (doubt.worker, numbers(doubt.rows))).collect()
    }
}

impl PyLedger {
    fn new(source: Box<dyn Source<Cell> + Send>, recycles: bool) -> Self {
        Self { ledger: Mutex::new(Ledger::new(source, recycles)), columns: None }
    }

    fn of_file<F: Source<Cell> + Source<Arc<[u8]>> + Send + 'static>(
        mut file: F,
        seed: Option<u64>,
        recycles: bool,
    ) -> PyResult<Self> {
        let Some(seed) = seed else { return Ok(Self::new(Box::new(file), recycles)) };
        let shuffled = Shuffled::new::<Arc<[u8]>>(&mut file, seed).map_err(unreadable)?;
        Ok(Self::new(Box::new(shuffled), recycles))
    }

    fn ledger(&self) -> MutexGuard<'_, Ledger<Cell>> {
        held(&self.ledger)
    }
}

fn unreadable(broken: Broken) -> PyErr {
    PyOSError::new_err(broken.0)
}

fn outgoing(py: Python<'_>, answers: Vec<Outgoing<Cell>>) -> PyResult<Vec<OutgoingParts<'_>>> {
    let all = answers.into_iter().map(|Outgoing { worker, life, number, answer }| {
        let (kind, payload) = match answer {
            Answer::Rows(rows) => ("rows", payload(py, &rows)?),
            Answer::End => ("end", py.None().into_bound(py)),
            Answer::Stale => ("stale", py.None().into_bound(py)),
            Answer::Broken(Broken(reason)) => ("broken", PyString::new(py, &reason).into_any()),
        };
        Ok((worker, life, number, kind, payload))
    });
    all.collect()
}

/// Rows as a message has them: bytes, where they are; a number, where they have no content; else a list.
fn payload<'py>(py: Python<'py>, rows: &[Row<Cell>]) -> PyResult<Bound<'py, PyAny>> {
    let bytes = |row: &Row<Cell>| matches!(row.content, Cell::Bytes(_));
    if rows.iter().all(bytes) {
        let packed = pack(rows.iter().map(|row| match &row.content {
            Cell::Bytes(bytes) => (row.number, row.pass, &**bytes),
            Cell::Nothing | Cell::Object(_) => (row.number, row.pass, &[][..]),
        }));
        return Ok(PyBytes::new(py, &packed).into_any());
    }
    let list = PyList::empty(py);
    for row in rows {
        match &row.content {
            Cell::Object(object) => list.append((row.number, row.pass, object.bind(py)))?,
            Cell::Nothing | Cell::Bytes(_) => return Ok(rows.len().into_pyobject(py)?.into_any()),
        }
    }
    Ok(list.into_any())
}

/// The numbers below `count` in the order of lots of a seed.
#[pyfunction]
fn shuffled_order(count: usize, seed: u64, pass_: u64) -> Vec<u32> {
    order(count, seed, pass_)
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<FeederBase>()?;
    module.add_class::<PyLedger>()?;
    module.add_function(wrap_pyfunction!(shuffled_order, module)?)
}
