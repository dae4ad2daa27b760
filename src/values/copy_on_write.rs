//! Copy on write: a value of any size is copied in constant time, and the copies share it until one
//! of them is changed.

use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// A value that its clones share. Changing a shared value copies it first; changing an unshared
/// value costs one read of the reference count. So the hub's state can be frozen in constant time
/// and written to disk later: each value that changes in between is copied once.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CopyOnWrite<T>(Arc<T>);

impl<T> CopyOnWrite<T> {
    /// A value that is not shared yet.
    pub fn new(value: T) -> Self {
        Self(Arc::new(value))
    }
}

impl<T: Clone> CopyOnWrite<T> {
    /// The value itself; a clone of it if other copies share it.
    pub fn into_inner(self) -> T {
        Arc::unwrap_or_clone(self.0)
    }
}

impl<T> Deref for CopyOnWrite<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: Clone> DerefMut for CopyOnWrite<T> {
    fn deref_mut(&mut self) -> &mut T {
        Arc::make_mut(&mut self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_stays_as_it_was() {
        let mut value = CopyOnWrite::new(vec![1]);
        value.push(2);
        let frozen = value.clone();
        value.push(3);
        assert_eq!((frozen.as_slice(), value.as_slice()), (&[1, 2][..], &[1, 2, 3][..]));
        assert_eq!(value.into_inner(), [1, 2, 3]);
    }
}
