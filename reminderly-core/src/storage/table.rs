//! Tables that are there as a whole, or as far as they were read.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::Hash;

/// A map that a [`Table`] can be made of.
pub(crate) trait Map: Default {
    type Key: Ord + Clone;
    type Row;

    fn get(&self, key: &Self::Key) -> Option<&Self::Row>;
    fn get_mut(&mut self, key: &Self::Key) -> Option<&mut Self::Row>;
    fn insert(&mut self, key: Self::Key, row: Self::Row);
    fn remove(&mut self, key: &Self::Key) -> Option<Self::Row>;
    fn is_empty(&self) -> bool;
    fn keys(&self) -> impl Iterator<Item = Self::Key>;
}

/// A table of a store: all of it, or the part of it that was read.
///
/// What was not read is not "not there". Who looks it up gets nothing and is [noted](Self::take_unread), so that what was made of it
/// can be thrown away, and made again when it was read.
#[derive(Debug, Clone)]
pub(crate) struct Table<M: Map> {
    rows: M,
    /// `None` of a table that is there as a whole.
    reading: Option<Box<Reading<M::Key>>>,
}

/// How much of a table there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Extent {
    /// All of it.
    Whole,
    /// What was read.
    Part,
}

#[derive(Debug, Clone)]
struct Reading<K> {
    /// What was read, whether it was there or not, or was written.
    known: BTreeSet<K>,
    unread: RefCell<BTreeSet<K>>,
}

impl<M: Map> Default for Table<M> {
    fn default() -> Self {
        Self { rows: M::default(), reading: None }
    }
}

impl<M: Map> Table<M> {
    /// A table in which there is nothing, or of which nothing was read yet.
    pub(crate) fn new(extent: Extent) -> Self {
        let nothing = || Box::new(Reading { known: BTreeSet::new(), unread: RefCell::default() });
        Self { rows: M::default(), reading: (extent == Extent::Part).then(nothing) }
    }

    /// All rows that are there.
    pub(crate) const fn rows(&self) -> &M {
        &self.rows
    }

    pub(crate) fn get(&self, key: &M::Key) -> Option<&M::Row> {
        if self.knows(key) {
            return self.rows.get(key);
        }
        self.miss(key);
        None
    }

    pub(crate) fn get_mut(&mut self, key: &M::Key) -> Option<&mut M::Row> {
        if !self.knows(key) {
            self.miss(key);
            return None;
        }
        self.rows.get_mut(key)
    }

    /// The row, if it is there already; it does not matter whether it was read.
    pub(crate) fn there_mut(&mut self, key: &M::Key) -> Option<&mut M::Row> {
        self.rows.get_mut(key)
    }

    pub(crate) fn contains_key(&self, key: &M::Key) -> bool {
        self.get(key).is_some()
    }

    /// Writes a row, whatever there was.
    pub(crate) fn insert(&mut self, key: M::Key, row: M::Row) {
        self.know(&key);
        self.rows.insert(key, row);
    }

    pub(crate) fn remove(&mut self, key: &M::Key) -> Option<M::Row> {
        if !self.knows(key) {
            self.miss(key);
            return None;
        }
        self.rows.remove(key)
    }

    /// Writes what was read: a row, or that there is none.
    pub(crate) fn put(&mut self, key: M::Key, row: Option<M::Row>) {
        self.know(&key);
        if let Some(row) = row {
            self.rows.insert(key, row);
        } else {
            self.rows.remove(&key);
        }
    }

    /// Changes a row without having read it: what is there is only added to.
    pub(crate) fn add(&mut self, key: M::Key, to: impl FnOnce(&mut M::Row))
    where
        M::Row: Default,
    {
        if let Some(row) = self.rows.get_mut(&key) {
            to(row);
            return;
        }
        let mut row = M::Row::default();
        to(&mut row);
        self.rows.insert(key, row);
    }

    /// The row; if there is none, this one is written.
    pub(crate) fn get_or_insert(&mut self, key: M::Key, row: M::Row) -> M::Row
    where
        M::Row: Copy,
    {
        if let Some(there) = self.get(&key) {
            return *there;
        }
        if self.knows(&key) {
            self.rows.insert(key, row);
        }
        row
    }

    /// Whether there is nothing, for sure.
    pub(crate) fn is_surely_empty(&self) -> bool {
        self.reading.is_none() && self.rows.is_empty()
    }

    /// What was looked up and had not been read.
    pub(crate) fn take_unread(&self) -> impl Iterator<Item = M::Key> + use<M> {
        let unread = self.reading.as_ref().map(|reading| reading.unread.take());
        unread.into_iter().flatten()
    }

    /// What is not as it was, with what it is now; in order.
    pub(crate) fn changed_since<'a>(
        &'a self,
        before: Option<&'a Self>,
    ) -> impl Iterator<Item = (M::Key, Option<&'a M::Row>)>
    where
        M::Row: PartialEq,
    {
        let was = |key: &M::Key| before.and_then(|before| before.rows.get(key));
        let keys = self.rows.keys().chain(before.into_iter().flat_map(|before| before.rows.keys()));
        let keys: BTreeSet<M::Key> = keys.filter(|key| was(key) != self.rows.get(key)).collect();
        keys.into_iter().map(|key| {
            let now = self.rows.get(&key);
            (key, now)
        })
    }

    fn knows(&self, key: &M::Key) -> bool {
        self.reading.as_ref().is_none_or(|reading| reading.known.contains(key))
    }

    /// From now on it is known what there is under a key.
    pub(crate) fn know(&mut self, key: &M::Key) {
        if let Some(reading) = &mut self.reading {
            reading.known.insert(key.clone());
        }
    }

    /// Notes that something was looked up that was not read.
    fn miss(&self, key: &M::Key) {
        if let Some(reading) = &self.reading {
            reading.unread.borrow_mut().insert(key.clone());
        }
    }
}

impl<K: Ord + Clone, V> Map for BTreeMap<K, V> {
    type Key = K;
    type Row = V;

    fn get(&self, key: &K) -> Option<&V> {
        Self::get(self, key)
    }

    fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        Self::get_mut(self, key)
    }

    fn insert(&mut self, key: K, row: V) {
        Self::insert(self, key, row);
    }

    fn remove(&mut self, key: &K) -> Option<V> {
        Self::remove(self, key)
    }

    fn is_empty(&self) -> bool {
        Self::is_empty(self)
    }

    fn keys(&self) -> impl Iterator<Item = K> {
        Self::keys(self).cloned()
    }
}

impl<K: Ord + Hash + Clone, V> Map for HashMap<K, V> {
    type Key = K;
    type Row = V;

    fn get(&self, key: &K) -> Option<&V> {
        Self::get(self, key)
    }

    fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        Self::get_mut(self, key)
    }

    fn insert(&mut self, key: K, row: V) {
        Self::insert(self, key, row);
    }

    fn remove(&mut self, key: &K) -> Option<V> {
        Self::remove(self, key)
    }

    fn is_empty(&self) -> bool {
        Self::is_empty(self)
    }

    fn keys(&self) -> impl Iterator<Item = K> {
        Self::keys(self).cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unread(table: &Table<BTreeMap<u8, u8>>) -> Vec<u8> {
        table.take_unread().collect()
    }

    #[test]
    fn a_whole_table_knows_what_is_not_there() {
        let mut table = Table::<BTreeMap<u8, u8>>::default();
        table.insert(1, 10);
        assert_eq!((table.get(&1), table.get(&2)), (Some(&10), None));
        assert!(unread(&table).is_empty());
    }

    #[test]
    fn a_part_notes_what_was_not_read_and_shows_nothing_of_it() {
        let mut table = Table::<BTreeMap<u8, u8>>::new(Extent::Part);
        table.put(1, Some(10));
        table.put(2, None);
        assert_eq!((table.get(&1), table.get(&2)), (Some(&10), None));
        assert!(unread(&table).is_empty());
        assert!(table.get(&3).is_none() && table.get_mut(&4).is_none() && table.remove(&5).is_none());
        assert_eq!(table.get_or_insert(6, 60), 60);
        assert_eq!(unread(&table), [3, 4, 5, 6]);
        assert!(unread(&table).is_empty(), "told once");
        assert_eq!(table.get(&6), None, "nothing is written where it was not read");
    }

    #[test]
    fn what_is_written_is_known() {
        let mut table = Table::<BTreeMap<u8, u8>>::new(Extent::Part);
        table.insert(1, 10);
        assert_eq!((table.get(&1), unread(&table)), (Some(&10), vec![]));
    }

    #[test]
    fn what_is_added_to_is_not_known() {
        let mut table = Table::<BTreeMap<u8, Vec<u8>>>::new(Extent::Part);
        table.add(1, |row| row.push(10));
        table.add(1, |row| row.push(11));
        assert_eq!(table.get(&1), None);
        assert_eq!(table.take_unread().collect::<Vec<_>>(), [1]);
        let changes: Vec<_> = table.changed_since(None).collect();
        assert_eq!(changes, [(1, Some(&vec![10, 11]))]);
    }

    #[test]
    fn what_is_not_as_it_was_is_told() {
        let mut table = Table::<BTreeMap<u8, u8>>::new(Extent::Part);
        for (key, row) in [(1, 10), (2, 20), (3, 30)] {
            table.put(key, Some(row));
        }
        let before = table.clone();
        assert_eq!(table.changed_since(Some(&before)).count(), 0);
        table.insert(2, 21);
        table.remove(&3);
        table.insert(4, 40);
        let changes: Vec<_> = table.changed_since(Some(&before)).collect();
        assert_eq!(changes, [(2, Some(&21)), (3, None), (4, Some(&40))]);
    }
}
