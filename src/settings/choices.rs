//! Values that are one of a few words.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A value that is one of a few words.
pub trait Word: Copy + PartialEq + 'static {
    /// All of them, with their words.
    const WORDS: &'static [(Self, &'static str)];

    /// Its word.
    fn word(self) -> &'static str {
        Self::WORDS.iter().find(|(value, _)| *value == self).map_or("", |(_, word)| word)
    }

    /// The value that `word` stands for.
    fn from_word(word: &str) -> Option<Self> {
        Self::WORDS.iter().find(|(_, known)| *known == word).map(|(value, _)| *value)
    }
}

macro_rules! words {
    ($(#[$meta:meta])+ $type:ident { $( $(#[$doc:meta])+ $variant:ident = $word:literal, )+ }) => {
        $(#[$meta])+
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $type { $( $(#[$doc])+ $variant, )+ }

        impl Word for $type {
            const WORDS: &'static [(Self, &'static str)] = &[$( (Self::$variant, $word), )+];
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.word())
            }
        }
    };
}

words! {
    /// Who comes in.
    Entry {
        /// Everybody who connects.
        Anybody = "anybody",
        /// Those who have logged in.
        Registered = "registered",
    }
}

words! {
    /// Whether a connection has to be encrypted to be let in.
    Encryption {
        /// It may be.
        Optional = "optional",
        /// It has to be.
        Required = "required",
    }
}

words! {
    /// What is done where a password would go over a connection on which others can listen.
    Passwords {
        /// Nothing: it is taken.
        Optional = "optional",
        /// It is taken, and its owner is told.
        Advised = "advised",
        /// It is not taken.
        Required = "required",
    }
}

words! {
    /// Who comes in while bans cannot be looked up.
    WhileUnread {
        /// Everybody who is not known to be banned.
        Open = "open",
        /// Nobody.
        Closed = "closed",
    }
}

words! {
    /// Who can register a name.
    Registering {
        /// Everybody.
        Open = "open",
        /// Administrators.
        Closed = "closed",
    }
}

words! {
    /// What becomes of those who come during a lockdown and are not logged in.
    // The admin protocol has it as well: these texts stand in its schemas.
    #[derive(Serialize, Deserialize, schemars::JsonSchema)]
    #[serde(rename_all = "lowercase")]
    Newcomers {
        /// They wait at the door.
        Door = "door",
        /// They come in, and speak when they have logged in: only registered people do.
        Registered = "registered",
    }
}

words! {
    /// Who is asked in telnet.
    Negotiate {
        /// Who has shown to be telnet.
        Auto = "auto",
        /// Everybody.
        Always = "always",
        /// Nobody.
        Never = "never",
    }
}

words! {
    /// Who is given our line editor unasked.
    EditorUse {
        /// Whose terminal it suits.
        Auto = "auto",
        /// Nobody.
        Line = "line",
    }
}

words! {
    /// What is done with a client too far behind its room.
    SlowPolicy {
        /// It misses lines and is told how many.
        Skip = "skip",
        /// It is disconnected.
        Close = "close",
    }
}

words! {
    /// How sure a line must be on disk.
    Sync {
        /// Each batch is synced.
        Full = "full",
        /// The disk syncs when it likes; what is there is consistent.
        Normal = "normal",
    }
}

words! {
    /// How much to log.
    // The admin protocol has it as well: these texts stand in its schemas.
    #[derive(Serialize, Deserialize, schemars::JsonSchema)]
    #[serde(rename_all = "lowercase")]
    LogLevel {
        /// Only what an operator should look at.
        Error = "error",
        /// And what goes on degraded.
        Warn = "warn",
        /// And start, stop, reload, moderation, arrivals and departures.
        Info = "info",
        /// And the rest.
        Debug = "debug",
        /// And the runtime's own.
        Trace = "trace",
    }
}
