//! A value that can be copied in an instant, however large it is: copies share it until one of them changes.

use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// A value that its copies share. Changing a shared value copies it first; changing one that is not shared costs one
/// look at a counter. So the hub's state can be frozen in an instant and written down later, and each value that
/// changes meanwhile is copied once.
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
    /// The value itself; a copy if it is shared.
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
