//! Tables whose keys are numbers that the hub hands out.
//!
//! A key is looked up at each read and each write. Nobody outside can choose one, so the hash need
//! not withstand an attacker: it is one multiplication.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

/// A hash table whose key is a number that the hub hands out in rising order.
pub type Numbered<K, V> = HashMap<K, V, BuildHasherDefault<Counted>>;

/// The hasher of such a number.
#[derive(Debug, Default)]
pub struct Counted(u64);

impl Hasher for Counted {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.write_u64(u64::from(*byte)));
    }

    fn write_u64(&mut self, number: u64) {
        // Spreads the number over all bits: the map looks at both ends of the hash (Fibonacci
        // hashing).
        self.0 = (self.0 ^ number).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    }
}
