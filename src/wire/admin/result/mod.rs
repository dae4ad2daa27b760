//! The results of the commands of the admin protocol: one struct for the `result` of each.
//!
//! The daemon fills them in and `chathub ctl` prints them. A client must ignore keys that it does
//! not know. Nothing here knows how a result is made: see [`super::execute`].
//!
//! | results of | see |
//! | --- | --- |
//! | the daemon: `status`, `metrics`, `reload`, ... | `daemon` |
//! | people: `clients`, `kick`, `rename`, ... | `people` |
//! | bans, mutes, expulsions, filters | `sanctions` |
//! | reports | `reports` |
//! | rooms | `rooms` |
//! | history, `redact` | `history` |
//! | accounts | `accounts` |

mod accounts;
mod daemon;
mod history;
mod people;
mod reports;
mod rooms;
mod sanctions;

pub use self::accounts::{Account, AccountDone, AccountList, Certificate};
pub use self::daemon::{
    AdminConnection, BackupPiece, Count, Hello, Listener, Lockdown, LogLevel, LoopTurns, Metrics, Reloaded,
    SettingsRead, Status, Stopped, TurnCount,
};
pub use self::history::{DiskHistory, DiskRoom, HistoryStats, Line, LineKind, Lines, Redacted, RoomHistory};
pub use self::people::{Client, ClientList, Encryption, Kicked, Muted, Person, Proxy, Renamed, Said};
pub use self::reports::{
    Report, ReportClosed, ReportLine, ReportLineState, ReportList, ReportParty, ReportShown, ReportsClosed,
};
pub use self::rooms::{Closed, Room, RoomList, Topic};
pub use self::sanctions::{
    Ban, BanList, BanTest, Banned, FilterList, Filtered, Lifted, Sanction, SanctionList, SanctionTest, Unbanned,
};
