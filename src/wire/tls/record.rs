//! What the two directions share: the form of records, and alerts (RFC 8446, sections 5.1, 5.2 and 6).

/// Bytes before each record: type, version, length.
pub const HEAD: usize = 5;

/// Bytes of the tag behind the encrypted content.
pub const TAG: usize = 16;

/// Bytes that a record has beside its content: its head, the inner type, and the tag.
pub const BESIDE: usize = HEAD + 1 + TAG;

/// The most content of a record that we read, in bytes.
pub const MOST_READ: usize = 1 << 14;

/// The most content of a record that we write. Ncat 7.93 leaves the tail of a longer one in its buffer until more
/// comes.
pub const MOST_WRITTEN: usize = 1 << 13;

/// Outer type of every encrypted record, and the inner type of data.
pub(super) const DATA: u8 = 23;
/// Inner type of handshake messages, of which only key updates come behind the handshake.
pub(super) const HANDSHAKE: u8 = 22;
/// Inner type of alerts.
pub(super) const ALERT: u8 = 21;

/// A key update: its type, its length, and whether the other side is to update its keys as well.
pub(super) const KEY_UPDATE: [u8; 4] = [24, 0, 0, 1];

/// An alert (RFC 8446, appendix B.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Alert(pub u8);

impl Alert {
    /// Nothing more comes.
    pub const CLOSE_NOTIFY: Self = Self(0);
    /// A message of a kind that has no place there.
    pub const UNEXPECTED_MESSAGE: Self = Self(10);
    /// A record does not decrypt: it was changed, or is out of place.
    pub const BAD_RECORD_MAC: Self = Self(20);
    /// A record is longer than it may be.
    pub const RECORD_OVERFLOW: Self = Self(22);
    /// A message does not have the form it must have.
    pub const DECODE_ERROR: Self = Self(50);
    /// The client gives up for a reason of its own; a close follows.
    pub const USER_CANCELED: Self = Self(90);

    /// As the content of a record: whether it ends the connection at once, and its number.
    pub(super) const fn content(self) -> [u8; 2] {
        [if self.0 == Self::CLOSE_NOTIFY.0 { 1 } else { 2 }, self.0]
    }
}
