//! Where rows come from.

use std::collections::VecDeque;

use super::{Broken, Row};

/// Gives the rows of its data one after another.
pub trait Source<C> {
    /// The next row; `None` at the end of this pass.
    fn next(&mut self) -> Result<Option<Row<C>>, Broken>;

    /// Begin the data again, for the `pass`th time.
    fn begin(&mut self, pass: u64) -> Result<(), Broken>;

    /// How many rows are left in this pass, where that is known without reading them.
    fn left(&self) -> Option<u64> {
        None
    }

    /// How many rows it can give at once, where more would have to be brought from outside.
    fn at_hand(&self) -> usize {
        usize::MAX
    }

    /// Take a row that was brought from outside.
    fn bring(&mut self, _row: Row<C>) {}

    /// No more will be brought.
    fn close(&mut self) {}
}

/// Rows without content: the right to do something, so many times.
pub struct Tickets {
    count: u64,
    given: u64,
    pass: u64,
}

impl Tickets {
    pub fn new(count: u64) -> Self {
        Self { count, given: 0, pass: 1 }
    }
}

impl<C: Default> Source<C> for Tickets {
    fn next(&mut self) -> Result<Option<Row<C>>, Broken> {
        if self.given == self.count {
            return Ok(None);
        }
        self.given += 1;
        Ok(Some(Row { number: self.given, pass: self.pass, content: C::default() }))
    }

    fn begin(&mut self, pass: u64) -> Result<(), Broken> {
        (self.given, self.pass) = (0, pass);
        Ok(())
    }

    fn left(&self) -> Option<u64> {
        Some(self.count - self.given)
    }
}

/// Rows that somebody else brings, as many as are needed, and as often as they are to be gone through.
pub struct Given<C> {
    rows: VecDeque<Row<C>>,
    is_closed: bool,
}

impl<C> Default for Given<C> {
    fn default() -> Self {
        Self { rows: VecDeque::new(), is_closed: false }
    }
}

impl<C> Source<C> for Given<C> {
    fn next(&mut self) -> Result<Option<Row<C>>, Broken> {
        Ok(self.rows.pop_front())
    }

    fn begin(&mut self, _pass: u64) -> Result<(), Broken> {
        Ok(())
    }

    fn at_hand(&self) -> usize {
        if self.is_closed { usize::MAX } else { self.rows.len() }
    }

    fn bring(&mut self, row: Row<C>) {
        self.rows.push_back(row);
    }

    fn close(&mut self) {
        self.is_closed = true;
    }
}
