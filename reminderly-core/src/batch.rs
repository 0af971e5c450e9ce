//! What batches have in common: outcomes by position and pages by key.

/// The outcomes of a batch call: same order and length as the items that were given.
///
/// Kept as a type of its own so that nobody drops a refused item by accident.
#[must_use = "each outcome says what became of one item; a refused item is not an error of the call"]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcomes<T>(Vec<T>);

impl<T> Outcomes<T> {
    /// The outcomes as a vector.
    pub fn into_vec(self) -> Vec<T> {
        self.0
    }

    /// How many outcomes there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether the batch was empty.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The outcomes in the order of the items.
    pub fn iter(&self) -> std::slice::Iter<'_, T> {
        self.0.iter()
    }
}

impl<T> FromIterator<T> for Outcomes<T> {
    fn from_iter<I: IntoIterator<Item = T>>(outcomes: I) -> Self {
        Self(outcomes.into_iter().collect())
    }
}

impl<T> From<Vec<T>> for Outcomes<T> {
    fn from(outcomes: Vec<T>) -> Self {
        Self(outcomes)
    }
}

impl<T> IntoIterator for Outcomes<T> {
    type Item = T;
    type IntoIter = std::vec::IntoIter<T>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'a, T> IntoIterator for &'a Outcomes<T> {
    type Item = &'a T;
    type IntoIter = std::slice::Iter<'a, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

/// A page of a listing in key order.
#[must_use]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T, K> {
    /// At most as many items as were asked for.
    pub items: Vec<T>,
    /// Where the next page starts; `None` on the last page.
    pub next: Option<K>,
}
