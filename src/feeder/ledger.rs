//! What is still to be handed out, and who holds what: the side of whoever owns the data.

use std::collections::{BTreeMap, VecDeque};

use super::{Broken, Content, Request, Row, Source};

/// A block has no more rows than this, and no more bytes (but for a single row that has).
const MOST_ROWS: usize = 4096;
const MOST_BYTES: usize = 1 << 20;

/// What a worker's request comes to. It may come much later than the request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer<C> {
    /// These rows are added to the stream; none where none were wanted.
    Rows(Vec<Row<C>>),
    /// All rows have been used, and there are no more.
    End,
    /// Nothing is known here of a stream from which rows were taken: it is to begin anew.
    Stale,
    /// The data cannot be read.
    Broken(Broken),
}

/// An answer on its way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outgoing<C> {
    pub worker: String,
    pub life: u64,
    pub number: u64,
    pub answer: Answer<C>,
}

/// Rows that a worker held of which it never told whether they were used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Doubt<C> {
    pub worker: String,
    pub rows: Vec<Row<C>>,
}

pub struct Ledger<C> {
    source: Box<dyn Source<C> + Send>,
    recycles: bool,
    pass: u64,
    /// There is nothing more to come from the source.
    is_exhausted: bool,
    broken: Option<Broken>,
    /// Rows that were given back; they go out before others.
    returned: VecDeque<Row<C>>,
    streams: BTreeMap<String, Stream<C>>,
    /// Those that wait for an answer, in the order in which they asked.
    waiting: VecDeque<String>,
    /// What streams that are over left behind.
    left_behind: Vec<Doubt<C>>,
    used: u64,
}

/// What the last request came to: it may be asked again, and then that is the answer.
#[derive(Debug, Clone, Copy)]
enum Answered {
    /// So many rows.
    Rows(usize),
    End,
}

/// The rows that one worker was sent, in their order.
struct Stream<C> {
    life: u64,
    /// Of the last request.
    number: u64,
    wants: usize,
    starves: bool,
    is_lost: bool,
    answered: Option<Answered>,
    /// How many rows were sent and not given back; of these were used:
    sent: u64,
    used: u64,
    /// The others.
    held: VecDeque<Row<C>>,
}

impl<C> Stream<C> {
    fn new(life: u64) -> Self {
        Self {
            life,
            number: 0,
            wants: 0,
            starves: false,
            is_lost: false,
            answered: None,
            sent: 0,
            used: 0,
            held: VecDeque::new(),
        }
    }

    /// Its worker has told how many rows were used in all. It may tell so late, and twice.
    fn note_used(&mut self, used: u64) -> u64 {
        let more = used.min(self.sent).saturating_sub(self.used);
        self.held.drain(..more as usize);
        self.used += more;
        more
    }
}

impl<C: Content> Ledger<C> {
    /// Hand out what `source` has; over and over again if it `recycles`.
    pub fn new(source: Box<dyn Source<C> + Send>, recycles: bool) -> Self {
        Self {
            source,
            recycles,
            pass: 1,
            is_exhausted: false,
            broken: None,
            returned: VecDeque::new(),
            streams: BTreeMap::new(),
            waiting: VecDeque::new(),
            left_behind: Vec::new(),
            used: 0,
        }
    }

    /// Up to so many rows for users of this process: they count as used.
    pub fn take(&mut self, count: usize) -> Result<Vec<Row<C>>, Broken> {
        let rows = self.rows(count);
        self.used += rows.len() as u64;
        match &self.broken {
            Some(broken) if rows.is_empty() => Err(broken.clone()),
            _ => Ok(rows),
        }
    }

    /// A worker asks. What is to be sent now, to it or to others.
    pub fn request(&mut self, worker: &str, request: Request) -> Vec<Outgoing<C>> {
        if !self.is_known(worker, &request) {
            let Request { life, number, .. } = request;
            let is_old = self.streams.get(worker).is_some_and(|stream| stream.life > life);
            let stale = Outgoing { worker: worker.into(), life, number, answer: Answer::Stale };
            return if is_old { Vec::new() } else { vec![stale] };
        }
        let Some(stream) = self.streams.get_mut(worker) else { return Vec::new() };
        stream.is_lost = false;
        self.used += stream.note_used(request.used);
        if request.number < stream.number {
            return Vec::new();
        }
        stream.starves = request.starves;
        if request.number > stream.number {
            stream.number = request.number;
            stream.wants = request.wants;
            stream.answered = None;
            let kept = request.kept.clamp(stream.used, stream.sent);
            for row in stream.held.drain(stream.held.len() - (stream.sent - kept) as usize..).rev() {
                self.returned.push_front(row);
            }
            stream.sent = kept;
        } else if let Some(answered) = stream.answered {
            // The answer was lost, or is still on its way. If it has arrived, this request was sent before.
            let again = match answered {
                Answered::Rows(count) => {
                    Answer::Rows(stream.held.range(stream.held.len().saturating_sub(count)..).cloned().collect())
                }
                Answered::End => Answer::End,
            };
            return vec![outgoing(worker, stream, again)];
        }
        if request.wants == 0 {
            let mut out: Vec<_> = self.answer(worker, Answer::Rows(Vec::new())).into_iter().collect();
            out.extend(self.serve());
            return out;
        }
        if !self.waiting.iter().any(|waiting| waiting == worker) {
            self.waiting.push_back(worker.into());
        }
        self.serve()
    }

    /// A request of a worker that was lost, and has not come back. What it used and gives back counts, but it gets nothing:
    /// rows for nobody would keep all others waiting for the end. Should it come back, it asks again.
    pub fn request_of_lost(&mut self, worker: &str, request: Request) -> Vec<Outgoing<C>> {
        let mut answers = self.request(worker, Request { wants: 0, starves: false, ..request });
        answers.extend(self.lose(worker));
        answers.retain(|answer| answer.worker != worker);
        answers
    }

    /// Whether the request goes on with what is known here of its stream; a new one begins without rows.
    fn is_known(&mut self, worker: &str, request: &Request) -> bool {
        if self.streams.get(worker).is_some_and(|stream| stream.life >= request.life) {
            return self.streams[worker].life == request.life;
        }
        if request.kept > 0 || request.used > 0 {
            return false;
        }
        if let Some(before) = self.streams.insert(worker.into(), Stream::new(request.life)) {
            self.leave_behind(worker, before);
        }
        true
    }

    fn leave_behind(&mut self, worker: &str, stream: Stream<C>) {
        if !stream.held.is_empty() {
            self.left_behind.push(Doubt { worker: worker.into(), rows: stream.held.into() });
        }
    }

    /// A worker tells how many rows of its stream were used.
    pub fn note_used(&mut self, worker: &str, life: u64, used: u64) -> Vec<Outgoing<C>> {
        let Some(stream) = self.streams.get_mut(worker).filter(|stream| stream.life == life) else { return Vec::new() };
        self.used += stream.note_used(used);
        self.serve()
    }

    /// A worker was lost: nobody waits for it any more, and what it holds stays its own.
    pub fn lose(&mut self, worker: &str) -> Vec<Outgoing<C>> {
        if let Some(stream) = self.streams.get_mut(worker) {
            stream.is_lost = true;
        }
        self.waiting.retain(|waiting| waiting != worker);
        self.serve()
    }

    /// A worker that was lost is back. It goes on where it was.
    pub fn find(&mut self, worker: &str) {
        if let Some(stream) = self.streams.get_mut(worker) {
            stream.is_lost = false;
        }
    }

    /// How many rows are to be brought before so many can be handed out.
    pub fn shortage(&self, wanted: usize) -> usize {
        let wanted = wanted.min(MOST_ROWS);
        wanted.saturating_sub(self.returned.len()).saturating_sub(self.source.at_hand())
    }

    /// Take a row that was brought from outside.
    pub fn bring(&mut self, row: Row<C>) {
        self.source.bring(row);
    }

    /// No more rows will be brought.
    pub fn close(&mut self) {
        self.source.close();
    }

    /// No rows can be brought, for this reason.
    pub fn give_up(&mut self, broken: Broken) {
        self.broken = Some(broken);
    }

    /// Whom to ask for rows that are not needed yet: somebody waits, and there are no others.
    pub fn spares(&self) -> Vec<&str> {
        let somebody_starves = self.waiting.iter().any(|worker| self.streams[worker].starves);
        let live = self.streams.iter().filter(|(_, stream)| !stream.is_lost && !stream.held.is_empty());
        if somebody_starves { live.map(|(worker, _)| worker.as_str()).collect() } else { Vec::new() }
    }

    /// How many rows were used, as far as workers have told.
    pub fn used(&self) -> u64 {
        self.used
    }

    /// Whether all rows have gone out and were used, as far as anybody will ever tell.
    pub fn is_spent(&self) -> bool {
        self.is_dry() && !self.streams.values().any(|stream| !stream.is_lost && !stream.held.is_empty())
    }

    /// What workers hold of which they have not told whether it was used.
    pub fn in_doubt(&self) -> Vec<Doubt<C>> {
        let held = self.streams.iter().filter(|(_, stream)| !stream.held.is_empty());
        let held =
            held.map(|(worker, stream)| Doubt { worker: worker.clone(), rows: stream.held.iter().cloned().collect() });
        self.left_behind.iter().cloned().chain(held).collect()
    }

    /// Answer who waits, as far as that is possible now.
    fn serve(&mut self) -> Vec<Outgoing<C>> {
        let mut out = Vec::new();
        for _ in 0..self.waiting.len() {
            if self.is_dry() {
                break; // At the end of the data hundreds may wait, and each word of a worker comes here.
            }
            let Some(worker) = self.waiting.pop_front() else { break };
            let rows = self.rows(self.share(self.streams[&worker].wants));
            let answer = match &self.broken {
                None if rows.is_empty() => {
                    self.waiting.push_back(worker);
                    continue;
                }
                Some(broken) if rows.is_empty() => Answer::Broken(broken.clone()),
                _ => Answer::Rows(rows),
            };
            out.extend(self.answer(&worker, answer));
        }
        if self.is_spent() {
            for worker in std::mem::take(&mut self.waiting) {
                out.extend(self.answer(&worker, Answer::End));
            }
        }
        out
    }

    /// Whether there is nothing to hand out, nor will there be unless somebody gives something back.
    fn is_dry(&self) -> bool {
        self.is_exhausted && self.returned.is_empty()
    }

    fn answer(&mut self, worker: &str, answer: Answer<C>) -> Option<Outgoing<C>> {
        let stream = self.streams.get_mut(worker)?;
        match &answer {
            Answer::Rows(rows) => {
                stream.answered = Some(Answered::Rows(rows.len()));
                stream.sent += rows.len() as u64;
                stream.held.extend(rows.iter().cloned());
            }
            Answer::End => stream.answered = Some(Answered::End),
            Answer::Stale | Answer::Broken(_) => {}
        }
        Some(outgoing(worker, stream, answer))
    }

    /// No more than a fair share of what is left, so that all end at about the same time.
    fn share(&self, wants: usize) -> usize {
        let streams = self.streams.values().filter(|stream| !stream.is_lost).count().max(1);
        let left = self.source.left().filter(|_| !self.recycles).map(|left| left as usize + self.returned.len());
        let fair = left.map_or(MOST_ROWS, |left| left.div_ceil(2 * streams).max(1));
        wants.min(fair).min(MOST_ROWS)
    }

    fn rows(&mut self, count: usize) -> Vec<Row<C>> {
        let mut rows = Vec::new();
        let mut bytes = 0;
        while rows.len() < count && bytes < MOST_BYTES {
            let Some(row) = self.next() else { break };
            bytes += row.content.bytes();
            rows.push(row);
        }
        rows
    }

    pub(super) fn next(&mut self) -> Option<Row<C>> {
        if let Some(row) = self.returned.pop_front() {
            return Some(row);
        }
        if self.is_exhausted || self.broken.is_some() || self.source.at_hand() == 0 {
            return None;
        }
        self.read().unwrap_or_else(|broken| {
            self.broken = Some(broken);
            None
        })
    }

    fn read(&mut self) -> Result<Option<Row<C>>, Broken> {
        let row = self.source.next()?;
        if row.is_some() {
            return Ok(row);
        }
        if self.recycles {
            self.pass += 1;
            self.source.begin(self.pass)?;
        }
        let row = if self.recycles { self.source.next()? } else { None };
        self.is_exhausted = row.is_none();
        Ok(row)
    }
}

fn outgoing<C>(worker: &str, stream: &Stream<C>, answer: Answer<C>) -> Outgoing<C> {
    Outgoing { worker: worker.into(), life: stream.life, number: stream.number, answer }
}
