//! The layout of records, and alerts: common to both directions (RFC 8446, sections 5.1, 5.2 and
//! 6).

/// The length of a record's header in bytes: type, version, length.
pub const HEAD: usize = 5;

/// The length of the authentication tag behind the encrypted content, in bytes.
pub const TAG: usize = 16;

/// The bytes of a record beside its content: header, inner type, and tag.
pub const BESIDE: usize = HEAD + 1 + TAG;

/// The most content in a record that we accept, in bytes (RFC 8446, section 5.2).
pub const MOST_READ: usize = 1 << 14;

/// The most content in a record that we write, in bytes: Ncat 7.93 leaves the end of a longer one
/// in its buffer until more comes.
pub const MOST_WRITTEN: usize = 1 << 13;

/// The outer type of every encrypted record, and the inner type of application data.
pub(super) const DATA: u8 = 23;
/// The inner type of handshake messages; after the handshake, only key updates are accepted.
pub(super) const HANDSHAKE: u8 = 22;
/// The inner type of alerts.
pub(super) const ALERT: u8 = 21;

/// A KeyUpdate message without its last byte: type and length. The last byte tells whether the
/// receiver must update its keys as well.
pub(super) const KEY_UPDATE: [u8; 4] = [24, 0, 0, 1];

/// An alert (RFC 8446, appendix B.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Alert(pub u8);

impl Alert {
    /// The sender sends nothing more.
    pub const CLOSE_NOTIFY: Self = Self(0);
    /// A message came that is not allowed here.
    pub const UNEXPECTED_MESSAGE: Self = Self(10);
    /// A record cannot be decrypted: it was changed, or is out of order.
    pub const BAD_RECORD_MAC: Self = Self(20);
    /// A record is longer than allowed.
    pub const RECORD_OVERFLOW: Self = Self(22);
    /// A message is malformed.
    pub const DECODE_ERROR: Self = Self(50);
    /// The client gives up for a reason of its own; `close_notify` follows.
    pub const USER_CANCELED: Self = Self(90);

    /// The alert as the content of a record: its level (1 warning, 2 fatal) and its number.
    pub(super) const fn content(self) -> [u8; 2] {
        [if self.0 == Self::CLOSE_NOTIFY.0 { 1 } else { 2 }, self.0]
    }
}
