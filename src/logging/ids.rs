//! The numbers of events (`MESSAGE_ID=`), as in `systemd/chathub.catalog`. A number never changes.
//!
//! After each number are the fields that every event of that number has. The catalog may name only
//! these: if a field is missing, `journalctl -x` prints its name instead.

macro_rules! ids {
    ($( $(#[doc = $about:literal])+ $name:ident = $id:literal $([ $($field:literal)+ ])?; )+) => {
        $( $(#[doc = $about])+ pub const $name: &str = $id; )+
        /// Each event's name and number.
        pub const ALL: &[(&str, &str)] = &[$( (stringify!($name), $id), )+];
        const ALWAYS: &[(&str, &[&str])] = &[$( ($id, &[$( $($field),+ )?]), )+];
    };
}

ids! {
    /// The daemon serves.
    STARTED = "4cbf80ef8b434ea5a667a14d8455d777" ["CHATHUB_VERSION"];
    /// The daemon has stopped.
    STOPPED = "2b5d1233e45b44488ad83151ead1ee3b" ["CHATHUB_CLIENTS" "CHATHUB_GAVE_UP"];
    /// The daemon is going to stop.
    STOPPING = "dffe29a2e8c94af59fe49dc9fe9486f9";
    /// The settings were read again.
    RELOADED = "ee00353f6f0e43148082a61f17e039a2";
    /// The settings could not be read again; the old ones stay.
    RELOAD_FAILED = "2bb9bad3cc3442be8cfe9445d77a00ef" ["CHATHUB_PROBLEM"];
    /// A client connected.
    ARRIVED = "6efb2d9b49454056b33b4941bf8080bd" ["CHATHUB_CLIENT" "CHATHUB_NICK" "CHATHUB_ADDR" "CHATHUB_PORT"];
    /// A client is gone.
    DEPARTED = "a457fc5710f1460985e3da705db46cf9" ["CHATHUB_CLIENT" "CHATHUB_NICK" "CHATHUB_ADDR" "CHATHUB_PORT"];
    /// A connection was refused.
    REFUSED = "1b433ec8cdfc41af92f3cf71fcc70f8c" ["CHATHUB_ADDR" "CHATHUB_PORT" "CHATHUB_REASON"];
    /// A client changed its room or name.
    MOVED = "d6104ac55cf147719dda224b04d0c8e3" ["CHATHUB_CLIENT" "CHATHUB_NICK" "CHATHUB_ADDR" "CHATHUB_PORT"];
    /// A room was opened or closed, or has another topic.
    ROOM = "e13426f3badd44dfbc37ff22e2d4d9c6";
    /// An administrator disconnected a client.
    KICKED = "139b9f06737a4ea0a5d55d1b51d23621" ["CHATHUB_CLIENT" "CHATHUB_NICK" "CHATHUB_ADDR" "CHATHUB_PORT" "CHATHUB_BY"];
    /// An administrator muted a client, or lifted a mute.
    MUTED = "ffb2c33113824d028d4e70131ed90049" ["CHATHUB_SANCTION" "CHATHUB_BY"];
    /// A client sends faster than it may.
    FLOOD = "6f78d337f29742a991b741bebed98099" ["CHATHUB_CLIENT" "CHATHUB_NICK" "CHATHUB_ADDR" "CHATHUB_PORT"];
    /// Something that a client did counts as a strike against it.
    STRIKE = "1c9e4b7da0f2453e96b8d35c7fa1e024" ["CHATHUB_CLIENT" "CHATHUB_NICK" "CHATHUB_ADDR" "CHATHUB_PORT" "CHATHUB_REASON"];
    /// A client reported another one, or a report was closed.
    REPORTED = "4b5c0db298ec46f79b73b50927e73499";
    /// An administrator banned somebody, or lifted a ban.
    BANNED = "d25b7f3a0c914c0e8b6a51e29f7c4d38" ["CHATHUB_SANCTION" "CHATHUB_BY"];
    /// Somebody was sent out of a room, or may enter it again.
    EXPELLED = "0f6a3b1c57e94d0c9b2d8e41c6a7f350" ["CHATHUB_SANCTION" "CHATHUB_BY"];
    /// A filter was added or lifted while the hub runs.
    FILTER = "5f0b8d2e6c1a4e7393d5b07c28e94a61" ["CHATHUB_TARGET" "CHATHUB_SANCTION" "CHATHUB_BY"];
    /// A lockdown has begun, or is over.
    LOCKDOWN = "7c1e5a90b3d84f26a1e7d4409f6b2c85" ["CHATHUB_BY"];
    /// An account was made, changed or removed.
    ACCOUNT = "6d0f2c7e9b514a3f8a2e5d9c31b7f648" ["CHATHUB_NICK"];
    /// Somebody has logged in or out, or tried to.
    LOGIN = "e3a96b1d4c784f02b5d8a07f6e2c9153" ["CHATHUB_CLIENT" "CHATHUB_NICK" "CHATHUB_ADDR" "CHATHUB_PORT"];
    /// Lines are not recorded, or are recorded again; or lines were redacted.
    HISTORY = "a8d1f6b0c6d84b7f9d1e0c5b7a2f4e63";
    /// The recorded history cannot be written or read, or can be again.
    STORE = "0f3b9c8e5d2a4c61b7e84a9d6c1f2e70";
    /// An administrator gave a command that changes something.
    ADMIN = "b4170a8c6ceb4ce29a28107f529f2021" ["CHATHUB_BY"];
    /// Accepting is paused: out of descriptors or memory.
    ACCEPT_PAUSED = "5b41cd8dc3af42a3aa6ed8b92321988c" ["CHATHUB_ERROR"];
    /// An encrypted connection that was handed over is not taken.
    HANDED_REFUSED = "9d2a6f41c0b74e83a5f81be07d64c392" ["CHATHUB_ERROR"];
    /// A connection at a listener for proxies was refused.
    PROXY_REFUSED = "4e1f0a7c8d5b4926a37be94f10c2d685" ["CHATHUB_ADDR" "CHATHUB_ERROR"];
    /// Some clients could not be carried on, because too few descriptors may be open.
    NO_DESCRIPTORS = "72e1c77ef2b5f0b73778a250a6f0bed9" ["CHATHUB_CLIENTS"];
    /// The daemon ends; another process takes its clients over.
    HANDED_OVER = "c0f4c8ce0d0e4a4c9d5f0c5c1b7e7a12" ["CHATHUB_CLIENTS"];
    /// The daemon has taken clients over from another process.
    TAKEN_OVER = "5f0b6f6d9a5d4e0c8a3c5f1f0d8b9e34" ["CHATHUB_CLIENTS"];
    /// Clients could not be taken over from another process.
    NOT_TAKEN_OVER = "a3d1c2f7b6e84f1f9c0d7e5a4b3c2d56" ["CHATHUB_ERROR"];
    /// An input that processes died of was left out.
    POISONED = "8e7d6c5b4a394f2e9d8c7b6a5f4e3d78";
    /// The service manager does not take messages.
    NOTIFY = "f7add04a52e44d2fb0ddb6eb3c170321";
    /// A socket was handed over whose name this release does not know.
    SOCKET_UNKNOWN = "b2b960ddbb8349a4b961060b282a60a7" ["CHATHUB_SOCKET"];
    /// Bans and accounts on disk cannot be read, or can be read again.
    RECALL = "24ccaed1f1e84349876df291051186a7";
    /// Events were left out of the journal because there were too many.
    SUPPRESSED = "51ceef8d3a8e4488a4a162b12be0630d" ["CHATHUB_COUNT"];
}

/// The fields that every event of this number has.
#[must_use]
pub fn always(id: &str) -> &'static [&'static str] {
    ALWAYS.iter().find(|(known, _)| *known == id).map_or(&[], |(_, fields)| fields)
}
