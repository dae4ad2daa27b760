//! How a room is, and what is to be changed of it.

use core::fmt;
use std::time::Duration;

use crate::values::time::in_words;

/// How a room is: who may come in, who may speak, how often, and who sets its topic.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Modes {
    /// Only those who are invited come in.
    pub private: bool,
    /// Only those who have a voice speak.
    pub moderated: bool,
    /// Only those who are logged in speak, and those who have a voice.
    pub registered: bool,
    /// Each says one line in that time; zero: it is not slow.
    pub slow: Duration,
    /// Whether the topic is locked, where that is not as in other rooms: a topic is locked where the room is somebody's.
    pub topic_locked: Option<bool>,
    /// It is kept while nobody is in it.
    pub lasting: bool,
}

/// What is to be changed of a room's [`Modes`]; `None`: it stays.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Change {
    /// Only those who are invited come in.
    pub private: Option<bool>,
    /// Only those who have a voice speak.
    pub moderated: Option<bool>,
    /// Only those who are logged in speak, and those who have a voice.
    pub registered: Option<bool>,
    /// Each says one line in that time; zero: it is not slow.
    pub slow: Option<Duration>,
    /// Only those who have the room's say set its topic.
    pub topic_locked: Option<bool>,
    /// It is kept while nobody is in it. [`may_last`](crate::hub::Hub::may_last) is to be asked before.
    pub lasting: Option<bool>,
}

impl Change {
    /// Both changes; `None` if they are not of one mind.
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
            slow: both(self.slow, other.slow)?,
            topic_locked: both(self.topic_locked, other.topic_locked)?,
            lasting: both(self.lasting, other.lasting)?,
        })
    }
}

const NONE: Change =
    Change { private: None, moderated: None, registered: None, slow: None, topic_locked: None, lasting: None };

/// What each mode is called, and what it changes; but for `slow`, behind which stands a time or `off`.
pub const MODES: &[(&str, Change)] = &[
    ("private", Change { private: Some(true), ..NONE }),
    ("public", Change { private: Some(false), ..NONE }),
    ("moderated", Change { moderated: Some(true), ..NONE }),
    ("free", Change { moderated: Some(false), ..NONE }),
    ("registered", Change { registered: Some(true), ..NONE }),
    ("everyone", Change { registered: Some(false), ..NONE }),
    ("topic-locked", Change { topic_locked: Some(true), ..NONE }),
    ("topic-free", Change { topic_locked: Some(false), ..NONE }),
    ("lasting", Change { lasting: Some(true), ..NONE }),
    ("passing", Change { lasting: Some(false), ..NONE }),
];

/// The shortest and the longest time in which each says one line in a slow room.
pub const SLOW: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(86_400));

/// `public and moderated, slow (10 s)`: for the journal, events and administrators.
impl fmt::Display for Modes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.private { "private" } else { "public" })?;
        f.write_str(if self.moderated { ", moderated" } else { ", free" })?;
        if self.registered {
            f.write_str(", registered")?;
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
