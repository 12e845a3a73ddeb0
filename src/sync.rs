//! What every part does with a lock.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// The lock's content, also after a panic elsewhere: what is kept under locks here is valid at every moment.
pub fn held<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
