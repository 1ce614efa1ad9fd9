//! How far a long reading of a run is, for whoever waits for it.

use std::sync::Arc;

/// Is told how many more events were read, from any thread.
pub type Progress = Arc<dyn Fn(u64) + Send + Sync>;

/// Events that are told of together.
const EVENTS_AT_ONCE: u64 = 4096;

/// Counts what an iterator gives.
pub(super) struct Counted<I> {
    items: I,
    progress: Option<Progress>,
    untold: u64,
}

impl<I> Counted<I> {
    pub(super) fn new(items: I, progress: Option<Progress>) -> Self {
        Self { items, progress, untold: 0 }
    }

    fn tell(&mut self) {
        let untold = std::mem::take(&mut self.untold);
        if let Some(progress) = &self.progress {
            progress(untold);
        }
    }
}

impl<I: Iterator> Iterator for Counted<I> {
    type Item = I::Item;

    fn next(&mut self) -> Option<I::Item> {
        let item = self.items.next()?;
        self.untold += 1;
        if self.untold == EVENTS_AT_ONCE {
            self.tell();
        }
        Some(item)
    }
}

impl<I> Drop for Counted<I> {
    fn drop(&mut self) {
        self.tell();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    #[test]
    fn every_item_is_told_of_once_also_if_the_reading_ends_early() {
        let told = Arc::new(Mutex::new(Vec::new()));
        let hear = Arc::clone(&told);
        let progress: Progress = Arc::new(move |events| hear.lock().unwrap().push(events));
        assert_eq!(Counted::new(0..10_000, Some(progress)).take(9000).count(), 9000);
        assert_eq!(*told.lock().unwrap(), [4096, 4096, 808]);
    }
}
