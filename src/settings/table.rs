//! The declaration of every setting, in the order in which the shipped file has them.

use core::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use super::choices::{
    EditorUse, Encryption, Entry, LogLevel, Negotiate, Newcomers, Passwords, Registering, SlowPolicy, Sync, WhileUnread,
};
use super::rule::{
    Addresses, Choice, Filters, Flag, GIB, KIB, MIB, Networks, Reached, RoomNames, Rows, Rule, SocketPath, Text,
    TimeOrOff, size, time, whole,
};
use super::setting::{Applies, Section, Setting};
use crate::values::network::Network;

/// Declares sections and settings: `name: type = default, rule, when it applies;`.
///
/// A rule that does not fit the type of its field does not compile.
macro_rules! settings {
    ($(
        $(#[doc = $section_doc:literal])+
        $section:ident: $type:ident {
            $( $(#[doc = $doc:literal])+ $name:ident: $value:ty = $default:expr, $rule:expr, $applies:ident; )+
        }
    )+) => {
        /// The value of every setting.
        #[derive(Clone, Debug, Default, PartialEq)]
        pub struct Settings {
            $( $(#[doc = $section_doc])+ pub $section: $type, )+
        }

        $(
            $(#[doc = $section_doc])+
            #[derive(Clone, Debug, PartialEq)]
            pub struct $type {
                $( $(#[doc = $doc])+ pub $name: $value, )+
            }

            impl Default for $type {
                fn default() -> Self {
                    Self { $( $name: $default, )+ }
                }
            }
        )+

        impl Settings {
            /// Leaves what needs a restart as it is in `old`.
            pub fn keep_what_needs_a_restart(&mut self, old: &Self) {
                $($( if Applies::$applies == Applies::Restart {
                    self.$section.$name.clone_from(&old.$section.$name);
                } )+)+
            }
        }

        /// The sections, in the order in which the shipped file has them.
        pub static SECTIONS: &[Section] = &[
            $( Section { name: stringify!($section), doc: concat!($($section_doc),+) }, )+
        ];

        /// The settings, by section.
        pub static SETTINGS: &[Setting] = &[
            $($( Setting {
                key: concat!(stringify!($section), ".", stringify!($name)),
                section: stringify!($section),
                name: stringify!($name),
                applies: Applies::$applies,
                doc: concat!($($doc),+),
                unit: || Rule::<$value>::unit(&$rule),
                allowed: || Rule::<$value>::allowed(&$rule),
                default: || Rule::<$value>::write(&$rule, &$default),
                read: |settings, written| {
                    settings.$section.$name = Rule::<$value>::read(&$rule, written)?;
                    Ok(())
                },
                write: |settings| Rule::<$value>::write(&$rule, &settings.$section.$name),
                same: |one, other| one.$section.$name == other.$section.$name,
            }, )+)+
        ];
    };
}

settings! {
    /// How the hub presents itself.
    hub: HubSettings {
        /// What the greeting calls this hub.
        name: String = "chathub".to_owned(), Text { min: 1, max: 32 }, Live;
        /// More of the greeting: an announcement, up to ten rows, one below the other with \n between. `/motd` shows
        /// it again. Empty: none.
        greeting: String = String::new(), Rows { rows: 10, max: 1000 }, Live;
        /// The house rules, up to 20 rows, which `/rules` shows. Empty: none.
        rules: String = String::new(), Rows { rows: 20, max: 2000 }, Live;
    }
    /// Where the hub listens when it binds its sockets itself. Not used when systemd hands them
    /// over: then chathub.socket and chathub-admin.socket say where.
    listen: Listen {
        /// Addresses and ports for people. `--listen` on the command line replaces them.
        chat: Vec<SocketAddr> = default_chat(), Addresses { min: 1 }, Restart;
        /// The same for proxies, which say whose connections they carry on: see the section proxy.
        proxy: Vec<SocketAddr> = Vec::new(), Addresses { min: 0 }, Restart;
        /// The admin socket. `--admin-socket` on the command line replaces it. Empty: admin.sock in
        /// `$RUNTIME_DIRECTORY`, else in `$XDG_RUNTIME_DIR/chathub`, else in /run/chathub.
        admin: Option<PathBuf> = None, SocketPath, Restart;
    }
    /// How much of everything there may be. What would go beyond is refused, and whoever asked is
    /// told. A limit that is lowered turns nobody out who is already there.
    limits: Limits {
        /// People connected at once. Where all places are taken, somebody who has never sent a line makes
        /// place for a newcomer from an address with fewer connections; and 64 more are for those whom
        /// access.always lets in.
        clients: usize = 10_000, whole(1, 1_000_000, "clients"), Live;
        /// People connected at once from one address: an IPv4 address, or a /64 network of IPv6. The
        /// default lets in a school or a tunnel behind one address, and does not let one address fill
        /// the hub.
        clients_per_address: usize = 2500, whole(1, 1_000_000, "clients"), Live;
        /// The longest line that is accepted, without its line ending. A longer one is refused as a
        /// whole, neither cut nor split.
        line: usize = 1024, size(64, 64 * KIB, "bytes"), Live;
        /// The longest name of a person.
        name: usize = 24, whole(2, 64, "characters"), Live;
        /// The longest name of a room.
        room_name: usize = 24, whole(2, 64, "characters"), Live;
        /// The longest topic of a room.
        topic: usize = 256, size(16, 4 * KIB, "bytes"), Live;
        /// Rooms open at once.
        rooms: usize = 1000, whole(1, 1_000_000, "rooms"), Live;
        /// Rooms open at once that people from one address have opened: an IPv4 address, or a /64 network of
        /// IPv6. A room counts for where it was opened from until it closes.
        rooms_per_address: usize = 100, whole(1, 1_000_000, "rooms"), Live;
        /// How many people one room's owner can invite, give a voice, or send out.
        invited: usize = 256, whole(1, 100_000, "names"), Live;
        /// How many others one person can ignore.
        ignores: usize = 64, whole(1, 1000, "names"), Live;
        /// What is meant for one client alone (answers, private messages) and not yet taken by it. At
        /// the limit the client is disconnected; what others send it is refused before, see pace.private.
        /// At least four times limits.line.
        mailbox: usize = 256 * 1024, size(16 * KIB, 64 * MIB, "bytes per client"), Live;
        /// The same over all clients. At the limit those are disconnected for whom more waits than for others.
        mailboxes: usize = 64 * 1024 * 1024, size(MIB, 64 * GIB, "bytes"), Live;
        /// Bans at once, and as many mutes.
        bans: usize = 10_000, whole(1, 1_000_000, "bans"), Live;
        /// Patterns of names that are kept out or muted (/ban bot-*) and filters that operators have made (/filter) at
        /// once: each is tried on every name that is taken, or every line.
        patterns: usize = 100, whole(0, 1000, "patterns"), Live;
        /// Registered names.
        accounts: usize = 10_000, whole(0, 1_000_000, "accounts"), Live;
        /// Connections to the admin socket at once. Half of them at most are one user's, four more are kept for root,
        /// and one on which nothing is asked gives way to a new one.
        admin_connections: usize = 32, whole(1, 1000, "connections"), Live;
    }
    /// How fast one client may talk. Who is faster is read more slowly at first; after that, lines
    /// are dropped and counted.
    pace: Pace {
        /// Lines in the long run.
        lines: u32 = 10, whole(1, 1_000_000, "lines per second"), Live;
        /// Lines in one go, after a while of silence: enough for a text that is pasted.
        burst_lines: u32 = 200, whole(1, 1_000_000, "lines"), Live;
        /// Bytes in the long run.
        bytes: usize = 16 * 1024, size(64, GIB, "bytes per second"), Live;
        /// Bytes in one go, after a while of silence. At least limits.line, or the longest line could
        /// never pass.
        burst_bytes: usize = 128 * 1024, size(KIB, GIB, "bytes"), Live;
        /// Private messages, invitations and reports that all others together may send to one person, in the
        /// long run; in one go, a quarter of limits.mailbox. Whoever sends more is told to try again. An
        /// eighth of it is for those from whose address little has come, and an eighth for those whom that
        /// person has written to.
        private: usize = 16 * 1024, size(KIB, GIB, "bytes per second"), Live;
        /// What all people in a room may bring about together: lines times people who get them. Beyond it,
        /// those wait who have said more of late than people do; whoever has not is heard at once.
        crowd: usize = 150_000, whole(1000, 1_000_000_000, "deliveries per second"), Live;
        /// How often one client may show others something else than lines, in one go: names, topics and words of
        /// absence; and three times as often rooms that are entered or changed, invitations, and people who are
        /// written to for the first time. Whoever goes on is refused, and then has strikes.
        shown: u32 = 6, whole(1, 1_000_000, "times"), Live;
        /// How soon there may be one more of each of these; of rooms, invitations and people three times as soon.
        shown_every: Duration = Duration::from_secs(10), time("10ms", "1h"), Live;
        /// What one client may say to others in the long run; in one go, as much as the pace lets pass in pace.patience
        /// (at least burst_lines). Nobody types that fast for that long. What is beyond it is refused, and ten such
        /// lines are a strike. A program that speaks for many may need more. 0: as much as the pace lets pass.
        steady: u32 = 60, whole(0, 60_000_000, "lines per minute"), Live;
        /// What all clients at one address (an IPv4 address, or a /64 network of IPv6) may say to others together in the
        /// long run; in one go, three times as much as one of them (at least as much as in a minute). A quarter of that is
        /// for those there who have said little of late. What is beyond it is refused. Networks of access.always and
        /// operators are not counted: a gateway that brings people from everywhere is listed there, or tells by the
        /// PROXY protocol whose connections it carries on. 0: as much as each of them may say.
        address: u32 = 1200, whole(0, 60_000_000, "lines per minute"), Live;
        /// How long the lines of a client that is too fast are held back before they are dropped.
        patience: Duration = Duration::from_secs(30), time("1s", "1h"), Live;
    }
    /// What happens to a client that takes what it is sent too slowly.
    slow: Slow {
        /// How far a client may fall behind its room, in memory that the lines take. It costs that much once a
        /// room, however many clients are behind; and once more for all together who see lines in another way
        /// than most. At least four times limits.line.
        behind: usize = 4 * 1024 * 1024, size(64 * KIB, GIB, "bytes"), Live;
        /// What all rooms may hold together for those who are behind. At the limit clients may fall less far
        /// behind in the rooms that hold most.
        behind_all: usize = 64 * 1024 * 1024, size(MIB, 64 * GIB, "bytes"), Live;
        /// What is done with a client that is further behind: "skip" leaves out the oldest lines and
        /// tells it how many, "close" disconnects it.
        policy: SlowPolicy = SlowPolicy::Skip, Choice, Live;
        /// A client that takes nothing at all of what it is owed for so long is disconnected.
        stall: Duration = Duration::from_secs(300), time("1s", "24h"), Live;
    }
    /// People who are connected and send nothing. That the other end of a connection is gone is noticed by the kernel,
    /// whatever stands here: see tcp.keepalive.
    idle: Idle {
        /// Whoever has sent no line for so long is disconnected; the Enter key is one. Operators stay, and whoever
        /// access.always lets in. "off": everybody stays. At least twice idle.warning.
        after: Option<Duration> = None, TimeOrOff(time("1min", "3650d")), Live;
        /// How long before that they are told.
        warning: Duration = Duration::from_secs(60), time("10s", "1d"), Live;
    }
    /// Rooms and the notices of who arrives and leaves.
    rooms: Rooms {
        /// The room that everybody is in at first. Its name is no longer than limits.room_name.
        lobby: String = "lobby".to_owned(), Text { min: 1, max: 64 }, Restart;
        /// In a room with more people than this, arrivals and departures are not announced one by
        /// one, but as a count from time to time.
        announce_limit: usize = 100, whole(0, 1_000_000, "people"), Live;
        /// So many arrivals and departures are announced one by one before a burst of them is
        /// gathered into one line.
        announce_burst: u32 = 8, whole(1, 1000, "notices"), Live;
        /// How long a burst of arrivals and departures is gathered before it is announced.
        gather: Duration = Duration::from_secs(2), time("100ms", "1min"), Live;
        /// The same in rooms beyond announce_limit.
        gather_big: Duration = Duration::from_secs(30), time("1s", "1h"), Live;
        /// Rooms that last: kept while nobody is in them, also on disk (/room lasting). Beyond it, none is made
        /// lasting. 0: none at all. They count as rooms of limits.rooms, too. People at one address have an eighth of
        /// them, or as many as one owner may have.
        lasting: usize = 100, whole(0, 100_000, "rooms"), Live;
        /// The same of one owner.
        lasting_per_owner: usize = 3, whole(1, 100_000, "rooms"), Live;
        /// A room whose owner has not been here for so long does not last any more.
        lasting_unused: Option<Duration> = Some(Duration::from_secs(180 * 86_400)), TimeOrOff(time("1d", "36500d")), Live;
    }
    /// What was said, kept for those who come later.
    history: History {
        /// Lines shown to somebody who enters a room. At most history.lines.
        replay: usize = 100, whole(0, 1000, "lines"), Live;
        /// Lines kept. 0 keeps none; history.replay must then be 0 as well.
        lines: usize = 1000, whole(0, 1_000_000, "lines per room"), Live;
        /// Memory that the kept lines may take; the oldest go first. At least limits.line.
        bytes: usize = 256 * 1024, size(KIB, GIB, "bytes per room"), Live;
        /// Rooms of which nothing is kept, neither in memory nor on disk.
        off: Vec<String> = Vec::new(), RoomNames, Live;
        /// Record what is said on disk as well, in the state directory, where it outlives the daemon.
        /// What is said privately is never recorded, nor any address; messages for who is not here are kept there until
        /// they are shown, see memos.
        persist: bool = true, Flag, Restart;
        /// How long lines are kept, in memory and on disk. A minute later, nothing of them is left there (see
        /// chathub(8)). People are told how long it is when they come.
        keep: Option<Duration> = Some(Duration::from_secs(30 * 86_400)), TimeOrOff(time("1min", "36500d")), Live;
        /// Lines that are kept in memory and on disk, over all rooms; the oldest go first. 0: as many as
        /// the other limits allow.
        keep_lines: u64 = 0, whole(0, 1_000_000_000_000, "lines"), Live;
        /// How large the recorded history may get on disk, and what is kept in memory of all rooms
        /// together; the oldest lines go first.
        keep_bytes: usize = 1024 * 1024 * 1024, size(MIB, 1024 * GIB, "bytes"), Live;
        /// How sure a line must be on disk. "full": a power cut costs at most what was said in its last
        /// tenth of a second. "normal": it may cost what was said in some seconds; kinder to a slow disk.
        /// A crash of the daemon alone costs the same with both.
        sync: Sync = Sync::Full, Choice, Live;
        /// Lines that may wait for the disk. What is said beyond is left out of the recorded history,
        /// counted, and reported; people never wait for the disk.
        queue: usize = 16 * 1024 * 1024, size(64 * KIB, GIB, "bytes"), Live;
    }
    /// Who may come in at all. Changes are for those who come afterwards.
    access: Access {
        /// Networks from which people may come; nobody else does. Empty: from everywhere.
        networks: Vec<Network> = Vec::new(), Networks, Live;
        /// Networks that no ban, no strike and no limit per address keeps out: that of the operators, say.
        /// Those who come from there find a place even if limits.clients is reached.
        always: Vec<Network> = Vec::new(), Networks, Live;
        /// "required" lets only encrypted connections in, by chathub-tls or from a trusted proxy that says so. Others are
        /// told how to come, and closed. "optional": plain ones come in as well.
        encryption: Encryption = Encryption::Optional, Choice, Live;
        /// How the hub is reached by TLS, as people are told where encryption is asked of them, such as
        /// "chat.example.org:6970". Empty: they are told to ask for it.
        encrypted_at: Option<String> = None, Reached, Live;
        /// Networks on which nobody can listen: what comes from there counts as encrypted wherever encryption is asked
        /// for. The default is this machine; a VPN can stand here too. What a forwarder or proxy on this machine takes
        /// from elsewhere comes from this machine, unless it says by the PROXY protocol from where: if one takes plain
        /// connections, set this to [].
        secure: Vec<Network> = this_machine(), Networks, Live;
        /// Who comes in while bans cannot be looked up, because the disk could not be read since the start:
        /// "open" lets in whoever is not known to be banned, "closed" asks newcomers to try again. Open is the
        /// default because a full disk is to stop nobody from talking. Whoever turns out to be banned when the
        /// disk can be read is disconnected then.
        unread: WhileUnread = WhileUnread::Open, Choice, Live;
    }
    /// People who come through a proxy, such as haproxy or stunnel, at a socket for that (chathub-proxy.socket,
    /// listen.proxy). The proxy says whose each connection is, by the PROXY protocol, version 1 or 2; all limits, bans and
    /// strikes are for that address.
    proxy: Proxy {
        /// Networks of proxies that are believed. At that socket, nobody else is let in. A proxy can say any address.
        networks: Vec<Network> = this_machine(), Networks, Live;
        /// How long a proxy may take to say it.
        wait: Duration = Duration::from_secs(5), time("1s", "1min"), Live;
        /// Whether all that comes through a proxy is encrypted as far as the proxy, although it does not say so:
        /// stunnel, and haproxy without send-proxy-v2-ssl, do not.
        encrypted: bool = false, Flag, Live;
    }
    /// What counts against people, for their address, and what comes of too much of it. Lines dropped
    /// because they came too fast, the same line again and again, lines that are too long, and what
    /// filters.strike says are a strike each.
    moderation: Moderation {
        /// So many strikes, and somebody is muted for a time. 0: never.
        mute_at: u32 = 10, whole(0, 1_000_000, "strikes"), Live;
        /// For how long.
        mute_for: Duration = Duration::from_secs(600), time("1s", "30d"), Live;
        /// So many strikes, and somebody is kept out for a time. 0: never.
        ban_at: u32 = 30, whole(0, 1_000_000, "strikes"), Live;
        /// For how long.
        ban_for: Duration = Duration::from_secs(3600), time("1s", "365d"), Live;
        /// One strike is forgotten each so long.
        forget: Duration = Duration::from_secs(60), time("1s", "30d"), Live;
        /// Reports by /report in one go by one person, and five times as many from one address.
        reports: u32 = 5, whole(1, 1_000_000, "reports"), Live;
        /// How soon there may be one more.
        report_every: Duration = Duration::from_secs(30), time("1s", "24h"), Live;
        /// Reports that may be open, and closed ones that are kept. Of the open ones, one person can have made
        /// a twentieth, and an eighth can have come from one address; of the last quarter, one from each. Whoever
        /// has one more is told so: no report pushes an open one out. Of the closed ones the first to be closed
        /// goes first, and each after history.keep.
        reports_kept: u32 = 200, whole(20, 10_000, "reports"), Live;
        /// The same line so often, each within half a minute, is said, alone or in turn with a few others, to
        /// whomever; after that it is refused. Topics and invitations count as well, and so does what others at the
        /// same address say; what is short, they say three times as often. 0: always said.
        repeats: u32 = 10, whole(0, 1_000_000, "times"), Live;
        /// What becomes of those who come during a lockdown (/lockdown) and are not logged in: "door" has them wait at
        /// the door, as accounts.entry does, "registered" lets them in, and they speak when they have logged in.
        lockdown: Newcomers = Newcomers::Door, Choice, Live;
        /// How long a lockdown lasts for which no time is given.
        lockdown_for: Duration = Duration::from_secs(900), time("10s", "30d"), Live;
    }
    /// Words that house rules keep out of what everybody reads: lines, names, topics, and last words;
    /// what is said privately is nobody's business, unless it is left for who is not here. An entry is a word, or several in a row, found
    /// whatever its case and in letters that look alike; or a pattern between slashes, as in
    /// "/https?:/", of the syntax of Rust's regex crate, in lower case.
    filters: FilterSettings {
        /// What is refused.
        refuse: Vec<String> = Vec::new(), Filters, Live;
        /// What is refused, and a strike.
        strike: Vec<String> = Vec::new(), Filters, Live;
    }
    /// Registered names. They are kept with the recorded history, so there are none where nothing is
    /// recorded (history.persist).
    accounts: AccountSettings {
        /// Who comes in: "anybody", or only who is "registered". Others then wait at the door until they have
        /// logged in, where they neither see nor hear anybody. Whoever is in stays in, until they log out.
        entry: Entry = Entry::Anybody, Choice, Live;
        /// How long one may wait at the door.
        door: Duration = Duration::from_secs(120), time("10s", "1h"), Live;
        /// Who can register a name: "open" lets everybody do it by /register, "closed" only administrators.
        register: Registering = Registering::Open, Choice, Live;
        /// Whether passwords have to be encrypted on their way. "required" takes none over other connections: who wants
        /// to log in or register there is told how to come, and nobody looks at what they have typed; with
        /// accounts.entry = "registered" they are not let in at all. "advised" takes it, and tells them that others
        /// could read it, if there is a better way: access.encrypted_at, or somebody has come encrypted. "optional"
        /// says nothing. access.secure is about whose connections count as encrypted.
        encryption: Passwords = Passwords::Advised, Choice, Live;
        /// The shortest password.
        password: usize = 8, whole(1, 64, "characters"), Live;
        /// Attempts to log in, in one go, from one address (of IPv6, a /64 network), and, five times as
        /// many, to one account from where nobody has logged in to it before.
        attempts: u32 = 5, whole(1, 1000, "attempts"), Live;
        /// How soon there may be one attempt more. Those that succeed do not count.
        attempt_every: Duration = Duration::from_secs(20), time("1s", "1h"), Live;
        /// Names registered in one go from one address: a class that registers together fits.
        registrations: u32 = 30, whole(1, 100_000, "accounts"), Live;
        /// How soon one more may be.
        registration_every: Duration = Duration::from_secs(600), time("1s", "24h"), Live;
        /// Memory that checking one password takes (argon2id). The default and that of passes are what
        /// OWASP recommends.
        memory: usize = 19 * 1024 * 1024, size(64 * KIB, GIB, "bytes"), Live;
        /// How often it goes over that memory.
        passes: u32 = 2, whole(1, 100, "passes"), Live;
        /// Passwords checked at the same time.
        hashers: usize = 1, whole(1, 64, "threads"), Restart;
        /// Passwords that may wait to be checked; whoever has one more is told to try again.
        waiting: usize = 64, whole(1, 10_000, "passwords"), Live;
    }
    /// Messages that are left for registered people who are not here (/msg NAME TEXT), and shown to them when they
    /// log in. Only who is logged in leaves any. They are kept on disk with the accounts.
    memos: MemoSettings {
        /// Messages that may wait for one person; a quarter of them can be of one sender, half can have come from
        /// one address, and all together take an eighth of limits.mailbox at most. 0: none are taken.
        waiting: u32 = 20, whole(0, 1000, "messages"), Live;
        /// Messages of one sender that may wait, for all others together.
        of_one: u32 = 20, whole(1, 1000, "messages"), Live;
        /// Memory that all of them may take, and about as much on disk; an eighth of it can be for what has come
        /// from one address. At the limit no more are taken.
        bytes: usize = 4 * 1024 * 1024, size(64 * KIB, GIB, "bytes"), Live;
        /// How long one waits. After that it is gone, seen or not.
        keep: Option<Duration> = Some(Duration::from_secs(30 * 86_400)), TimeOrOff(time("1min", "36500d")), Live;
    }
    /// What is done for people whose program speaks telnet. Others never see a byte of it.
    telnet: TelnetSettings {
        /// Who is asked in telnet for the terminal's type and size: "auto" asks whoever has sent a telnet
        /// command or has ended the first line with CR (and LF or NUL), as telnet clients do and nc does not;
        /// "always" asks everybody at once, and nc shows that as a few stray characters; "never" asks nobody.
        negotiate: Negotiate = Negotiate::Auto, Choice, Live;
        /// Who edits what is typed: "auto" gives people on a capable terminal a line editor of ours, with
        /// what others say above it; "line" leaves it to their program unless they ask for it by /mode.
        editor: EditorUse = EditorUse::Auto, Choice, Live;
    }
    /// Connections whose other end is gone without a word, because its machine or its network is.
    tcp: Tcp {
        /// After so long without traffic the kernel asks whether the other end is still there, and then each quarter
        /// of that time. Who answers nothing is gone after tcp.user_timeout, or after four questions where that is off.
        keepalive: Option<Duration> = Some(Duration::from_secs(60)), TimeOrOff(time("5s", "2h")), Live;
        /// A client that acknowledges nothing for so long, neither lines nor the questions of tcp.keepalive, or whose
        /// window stays shut so long because it reads nothing, is taken for gone (TCP_USER_TIMEOUT, tcp(7)). Not below
        /// slow.stall, if that is to have its time.
        user_timeout: Option<Duration> = Some(Duration::from_secs(300)), TimeOrOff(time("5s", "1h")), Live;
        /// What the kernel holds for one connection of what was sent to it and not yet acknowledged
        /// (SO_SNDBUF, socket(7)). Left to itself it holds up to 4 MiB for each client that reads nothing.
        /// What does not fit waits in the room, once for all. The kernel counts its own overhead in and so
        /// takes twice as much, but no more than sysctl net.core.wmem_max allows. For new connections.
        send_buffer: usize = 128 * 1024, size(16 * KIB, 16 * MIB, "bytes per client"), Live;
        /// The same for what was received and not yet read (SO_RCVBUF, net.core.rmem_max): all that somebody
        /// can send who is being slowed down.
        receive_buffer: usize = 64 * 1024, size(16 * KIB, 16 * MIB, "bytes per client"), Live;
    }
    /// How the hub ends.
    shutdown: Shutdown {
        /// How long clients have to take what they are owed before they are disconnected.
        deadline: Duration = Duration::from_secs(10), time("0s", "1h"), Live;
    }
    /// The service as systemd sees it.
    service: Service {
        /// End when nobody has been connected for so long (administrators do not count). Only with
        /// sockets that were handed over: the next connection starts the service again.
        exit_when_idle: Option<Duration> = None, TimeOrOff(time("10s", "24h")), Restart;
    }
    /// What is logged: to the journal under systemd, else to standard error. What people say is
    /// never logged.
    log: Log {
        /// The least important messages that are logged.
        level: LogLevel = LogLevel::Info, Choice, Live;
    }
}

fn default_chat() -> Vec<SocketAddr> {
    use core::net::{Ipv4Addr, Ipv6Addr};
    vec![(Ipv4Addr::LOCALHOST, 6969).into(), (Ipv6Addr::LOCALHOST, 6969).into()]
}

fn this_machine() -> Vec<Network> {
    ["127.0.0.0/8", "::1"].map(|network| network.parse().expect("a network")).into()
}
