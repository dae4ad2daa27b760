//! The memory that the settings let the daemon take at most, as a sum. Each part is a bound that is held: see the table
//! in `ARCHITECTURE.md`.

use super::Settings;

/// A part of the sum.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    /// What takes it, and the settings that bound it.
    pub what: &'static str,
    /// The bound, in bytes.
    pub bytes: u64,
    /// Whether the kernel holds it, for the daemon's sockets: it counts for the service where there are control groups
    /// of version 2.
    pub kernel: bool,
}

/// Bytes: the program, its threads, the pages that the database keeps at hand, and what the allocator holds back.
const PROGRAM: u64 = 48 << 20;

/// Bytes for a client: what is known of it, its name in tables, its place in a room.
const CLIENT: u64 = 3 << 10;

/// Bytes for what a client has sent and what is kept of its typing: a piece of 8 KiB, a paste, lines recalled, two frames.
const TYPED: u64 = (8 + 16 + 4 + 2 * 16) << 10;

/// Bytes for a client that is encrypted: a record that has not come whole, one that its socket has not taken whole, keys.
const ENCRYPTED: u64 = (17 + 2 + 1) << 10;

/// Bytes of records that wait for full sockets before records are made short, and one more.
const RECORDS: u64 = (8 << 20) + (64 << 10);

/// Bytes for an account or a ban, in memory and in its tables.
const ENTRY: u64 = 1 << 10;

/// Bytes of patterns and filters: two lists of the settings, and of those made while the hub runs two of words and two of
/// names; each of 4 MiB compiled, and 2 MiB in use.
const FILTERS: u64 = (6 * (4 + 2)) << 20;

/// Bytes for a name that somebody ignores, in the list and in the table.
const IGNORED: u64 = 256;

/// Bytes for a room, without what is said in it.
const ROOM: u64 = 2 << 10;

/// Bytes for a connection of an administrator: a request, an answer, and events that wait for it.
const ADMIN: u64 = (64 + 64 + 1024) << 10;

/// Bytes of inputs since the last snapshot, before one is due and while it is written.
const TAPE: u64 = 32 << 20;

impl Settings {
    /// The memory that the daemon may take at most, part by part.
    #[must_use]
    pub fn memory(&self) -> Vec<Part> {
        let number = |value: usize| value as u64;
        let clients = number(self.limits.clients);
        let line = number(self.limits.line);
        let history = number(self.limits.rooms).saturating_mul(number(self.history.bytes));
        // One room may have gone over it by what was taken at once.
        let behind = number(self.slow.behind_all).saturating_add(number(self.slow.behind).saturating_mul(3));
        let mail = number(self.limits.mailboxes).saturating_add(number(self.limits.mailbox));
        let queue = number(self.history.queue);
        let kept = history.saturating_add(behind).saturating_add(mail).saturating_add(queue);
        let people = clients.saturating_mul(CLIENT);
        let typed = clients.saturating_mul(TYPED.saturating_add(2 * line));
        let encrypted = clients.saturating_mul(ENCRYPTED).saturating_add(RECORDS);
        let ignored = clients.saturating_mul(number(self.limits.ignores)).saturating_mul(IGNORED);
        let lists = number(self.limits.accounts).saturating_add(number(self.limits.bans)).saturating_mul(ENTRY);
        // An eighth more of those that nobody is to see.
        let memos = number(self.memos.bytes).saturating_add(number(self.memos.bytes) / 8);
        let rooms = number(self.limits.rooms).saturating_mul(ROOM + 4 * number(self.limits.invited) * 32);
        let state = kept.saturating_add(people).saturating_add(typed / 2).saturating_add(ignored).saturating_add(lists);
        let state = state.saturating_add(memos).saturating_add(encrypted);
        let hashers = number(self.accounts.hashers).saturating_mul(number(self.accounts.memory));
        let admins = number(self.limits.admin_connections).saturating_mul(ADMIN);
        // The kernel takes twice what it is asked for.
        let sockets = 2 * number(self.tcp.send_buffer + self.tcp.receive_buffer);
        let part = |what, bytes| Part { what, bytes, kernel: false };
        vec![
            part("the daemon itself", PROGRAM),
            part("people: limits.clients", people),
            part("what they type: limits.clients", typed),
            part("encryption, if all of them are: limits.clients", encrypted),
            part("whom they ignore: limits.clients x limits.ignores", ignored),
            part("rooms: limits.rooms", rooms),
            part("history: limits.rooms x history.bytes", history),
            part("lines for those who are behind: slow.behind_all", behind),
            part("what waits for one alone: limits.mailboxes", mail),
            part("what waits for the disk: history.queue, twice", queue.saturating_mul(2)),
            part("accounts and bans: limits.accounts, limits.bans", lists),
            part("messages for those who are not here: memos.bytes", memos),
            part("filters and patterns of names", FILTERS),
            part("passwords being checked: accounts.hashers x accounts.memory", hashers),
            part("administrators: limits.admin_connections", admins),
            part(
                "all of that for the next process, twice, and its inputs",
                state.saturating_mul(2).saturating_add(TAPE),
            ),
            Part {
                what: "sockets, in the kernel: limits.clients x tcp.send_buffer + tcp.receive_buffer, twice",
                bytes: clients.saturating_mul(sockets),
                kernel: true,
            },
        ]
    }
}

/// A number of bytes, rounded up to MiB.
#[must_use]
pub fn shown(bytes: u64) -> String {
    format!("{} MiB", bytes.div_ceil(1 << 20))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sum_grows_with_each_setting_in_it() {
        let sum = |settings: &Settings| settings.memory().iter().map(|part| u128::from(part.bytes)).sum::<u128>();
        let before = sum(&Settings::default());
        let grown: [fn(&mut Settings); 13] = [
            |settings| settings.limits.clients *= 2,
            |settings| settings.limits.rooms *= 2,
            |settings| settings.limits.mailboxes *= 2,
            |settings| settings.limits.accounts *= 2,
            |settings| settings.limits.bans *= 2,
            |settings| settings.limits.ignores *= 2,
            |settings| settings.limits.admin_connections *= 2,
            |settings| settings.slow.behind_all *= 2,
            |settings| settings.history.bytes *= 2,
            |settings| settings.history.queue *= 2,
            |settings| settings.accounts.memory *= 2,
            |settings| settings.memos.bytes *= 2,
            |settings| settings.tcp.send_buffer *= 2,
        ];
        for grow in grown {
            let mut settings = Settings::default();
            grow(&mut settings);
            assert!(sum(&settings) > before);
        }
    }

    #[test]
    fn no_settings_that_are_allowed_make_it_overflow() {
        let mut settings = Settings::default();
        settings.limits.clients = 1_000_000;
        settings.limits.rooms = 1_000_000;
        settings.history.bytes = 1 << 30;
        settings.limits.mailboxes = 64 << 30;
        assert!(settings.memory().iter().all(|part| part.bytes > 0));
    }
}
