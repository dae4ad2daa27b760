//! The modes of a room, and changes to them.

use core::fmt;
use std::time::Duration;

use crate::values::time::in_words;

/// The modes of a room: who may come in, who may speak, how often, and who sets the topic.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Modes {
    /// Whether only invited people come in.
    pub private: bool,
    /// Whether only people with a voice speak.
    pub moderated: bool,
    /// Whether only people who are logged in speak, and people with a voice.
    pub registered: bool,
    /// Whether only people whose connections are secure come in.
    pub encrypted: bool,
    /// How long each person has to wait between two lines; zero: the room is not slow.
    pub slow: Duration,
    /// Whether the topic is locked; `None`: as usual, which means that it is locked if the room has an owner.
    pub topic_locked: Option<bool>,
    /// Whether the room is kept while nobody is in it.
    pub lasting: bool,
}

/// A change to a room's [`Modes`]; `None` leaves a mode as it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Change {
    /// Whether only invited people come in.
    pub private: Option<bool>,
    /// Whether only people with a voice speak.
    pub moderated: Option<bool>,
    /// Whether only people who are logged in speak, and people with a voice.
    pub registered: Option<bool>,
    /// Whether only people whose connections are secure come in. The caller asks
    /// [`may_be_encrypted`](crate::hub::Hub::may_be_encrypted) first.
    pub encrypted: Option<bool>,
    /// How long each person has to wait between two lines; zero: the room is not slow.
    pub slow: Option<Duration>,
    /// Whether only those with the room's say set its topic.
    pub topic_locked: Option<bool>,
    /// Whether the room is kept while nobody is in it. The caller asks [`may_last`](crate::hub::Hub::may_last) first.
    pub lasting: Option<bool>,
}

impl Change {
    /// Both changes together; `None` if they contradict each other.
    #[must_use]
    pub fn and(self, other: Self) -> Option<Self> {
        fn both<T: PartialEq>(one: Option<T>, other: Option<T>) -> Option<Option<T>> {
            match (one, other) {
                (Some(one), Some(other)) if one != other => None,
                (one, other) => Some(one.or(other)),
            }
        }
        Some(Self {
            private: both(self.private, other.private)?,
            moderated: both(self.moderated, other.moderated)?,
            registered: both(self.registered, other.registered)?,
            encrypted: both(self.encrypted, other.encrypted)?,
            slow: both(self.slow, other.slow)?,
            topic_locked: both(self.topic_locked, other.topic_locked)?,
            lasting: both(self.lasting, other.lasting)?,
        })
    }
}

const NONE: Change = Change {
    private: None,
    moderated: None,
    registered: None,
    encrypted: None,
    slow: None,
    topic_locked: None,
    lasting: None,
};

/// The name of each mode, and what it changes. `slow`, which takes a time or `off`, is not here.
pub const MODES: &[(&str, Change)] = &[
    ("private", Change { private: Some(true), ..NONE }),
    ("public", Change { private: Some(false), ..NONE }),
    ("moderated", Change { moderated: Some(true), ..NONE }),
    ("free", Change { moderated: Some(false), ..NONE }),
    ("registered", Change { registered: Some(true), ..NONE }),
    ("everyone", Change { registered: Some(false), ..NONE }),
    ("encrypted", Change { encrypted: Some(true), ..NONE }),
    ("plain", Change { encrypted: Some(false), ..NONE }),
    ("topic-locked", Change { topic_locked: Some(true), ..NONE }),
    ("topic-free", Change { topic_locked: Some(false), ..NONE }),
    ("lasting", Change { lasting: Some(true), ..NONE }),
    ("passing", Change { lasting: Some(false), ..NONE }),
];

/// The shortest and the longest time between two lines of one person in a slow room.
pub const SLOW: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(86_400));

/// Such as `public, moderated, slow 10 s`: for the journal, events and administrators.
impl fmt::Display for Modes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.private { "private" } else { "public" })?;
        f.write_str(if self.moderated { ", moderated" } else { ", free" })?;
        if self.registered {
            f.write_str(", registered")?;
        }
        if self.encrypted {
            f.write_str(", encrypted")?;
        }
        if !self.slow.is_zero() {
            write!(f, ", slow {}", in_words(self.slow))?;
        }
        match self.topic_locked {
            Some(true) => f.write_str(", topic-locked")?,
            Some(false) => f.write_str(", topic-free")?,
            None => {}
        }
        f.write_str(if self.lasting { ", lasting" } else { "" })
    }
}
