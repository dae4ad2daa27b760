//! The admin socket: one task for each connection, requests in, replies out, in order.
//!
//! chathub-admin(7) is the contract; [`crate::wire::admin`] is its parser. The kernel tells which
//! user asks (`SO_PEERCRED`). A command that changes something leaves an audit line in the journal.
//!
//! This module does not know what a command does: the table there says which part of the daemon
//! executes it, and it is handed to that part.
//!
//! | to change | see |
//! | --- | --- |
//! | what may be asked on which socket | [`Level`], and the table there |
//! | what a command is, and which part of the daemon executes it | [`crate::wire::admin`] |
//! | how long an answer is waited for, the audit line | `Connection::ask`, below |
//! | how recorded history is sent | `disk` |
//! | who gives way when there are too many | [`holders`] |

mod disk;
pub mod holders;

use std::os::fd::AsFd as _;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use nix::poll::{PollFd, PollFlags, PollTimeout};
use nix::sys::socket::{getsockopt, sockopt};
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::{JoinError, JoinSet};
use tracing::{info, warn};

use self::disk::{PAGE, broken, by_room, count, told, with_lines, written};
use self::holders::{Admins, Full, Place as Held};
use super::arrival::{Answered, Arrival};
use super::hashing::{self, Cost};
use crate::accepting::Pauses;
use crate::hub::{By, login};
use crate::logging::{InWords, ids};
use crate::users;
use crate::values::name::Name;
use crate::values::plain::Plain;
use crate::wire::admin::args::{NoArgs, RedactArgs, Secret};
use crate::wire::admin::describe::described;
use crate::wire::admin::event::Event;
use crate::wire::admin::execute::Stored;
use crate::wire::admin::execute::listing::Listing;
use crate::wire::admin::frames::{Frame, Frames};
use crate::wire::admin::message::{ControlError, ErrorCode, MAX_REQUEST, PROTOCOL, Place, Reply, Request};
use crate::wire::admin::metrics::text::{Format, text};
use crate::wire::admin::result::{Count, Hello, Lines, Metrics};
use crate::wire::admin::value::Text;
use crate::wire::admin::{Carrier, Command, Duty, ForConnection, Level};

/// The least number of characters of a password, and the cost of hashing one. A reload changes
/// both.
pub type Passwords = Arc<Mutex<(usize, Cost)>>;

/// If the other end takes nothing of an answer for this long, the connection counts as idle, and
/// may be closed for a new one. Until then it costs nothing, so it is left open: an answer may be
/// read in a pager, at leisure.
const STALLED: Duration = Duration::from_secs(30);

/// How long the other end may take nothing of an answer before the connection is closed.
const PATIENCE: Duration = Duration::from_secs(12 * 3600);

/// How long an administrator waits for the disk before the answer says that it takes nothing.
const DISK_PATIENCE: Duration = Duration::from_secs(20);

/// How often a subscriber is looked at that has closed its sending direction. Nothing else shows
/// whether it still listens, until there is an event.
const LOOK: Duration = Duration::from_secs(1);

/// Accepts connections until `stopping` becomes true. Returns when all answers are sent.
///
/// At most as many connections as `admins` has places are served at a time. A further one is
/// refused as busy.
pub async fn serve(
    listener: UnixListener,
    level: Level,
    arrivals: mpsc::Sender<Arrival>,
    admins: Arc<Admins>,
    passwords: Passwords,
    mut stopping: watch::Receiver<bool>,
) {
    let for_each = stopping.clone();
    let (mut connections, mut pauses) = (JoinSet::new(), Pauses::default());
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    pauses.end();
                    // Tasks of connections that have ended are joined here.
                    while connections.try_join_next().is_some() {}
                    let (uid, pid) = getsockopt(&stream, sockopt::PeerCredentials)
                        .map_or((u32::MAX, 0), |creds| (creds.uid(), creds.pid()));
                    match admins.enter(uid, pid) {
                        Ok(place) => {
                            let (arrivals, stopping) = (arrivals.clone(), for_each.clone());
                            let (admins, passwords, by) = (admins.clone(), passwords.clone(), By::Admin { uid, pid });
                            let (read, write) = stream.into_split();
                            let frames = Frames::default();
                            let connection =
                                Connection { read, write, by, called: None, level, place, admins, frames, arrivals, passwords, stopping };
                            connections.spawn(connection.run());
                        }
                        Err(full) => refuse(&stream, full),
                    }
                }
                Err(error) => {
                    let Some(pause) = pauses.after(&error) else { continue };
                    if pause.is_first {
                        warn!(message_id = ids::ACCEPT_PAUSED, chathub_error = %Plain(&error), "the admin socket is paused{}", InWords(Plain(&error)));
                    }
                    tokio::select! {
                        () = tokio::time::sleep(pause.length) => {}
                        () = stopped(&mut stopping) => break,
                    }
                }
            },
            Some(_) = connections.join_next(), if !connections.is_empty() => {}
            () = stopped(&mut stopping) => break,
        }
    }
    drop(listener);
    while connections.join_next().await.is_some() {}
}

async fn stopped(stopping: &mut watch::Receiver<bool>) {
    // An error means that the sender is gone: the daemon ends then too.
    let _ = stopping.wait_for(|stopping| *stopping).await;
}

fn refuse(stream: &UnixStream, full: Full) {
    let message = match full {
        Full::All(limit) => format!("{limit} connections are open already"),
        Full::Own(most) => format!("this user has {most} connections open already, half of what there may be"),
    };
    // The buffer of a fresh socket has room for it.
    let error = ControlError::new(ErrorCode::Busy, message);
    let _ = stream.try_write(Reply::refused(&Value::Null, &error).as_bytes());
}

struct Connection {
    read: OwnedReadHalf,
    write: OwnedWriteHalf,
    by: By,
    /// The name of the user who asks, once it was looked up.
    called: Option<String>,
    level: Level,
    place: Held,
    admins: Arc<Admins>,
    /// The bytes that were read and are no whole request yet.
    frames: Frames,
    arrivals: mpsc::Sender<Arrival>,
    passwords: Passwords,
    stopping: watch::Receiver<bool>,
}

/// The connection is of no use any more: the other end is gone or does not read, or a new
/// connection took the place.
struct Gone;

impl Connection {
    async fn run(mut self) {
        let mut chunk = vec![0; 16 * 1024];
        loop {
            self.place.rests();
            let count = tokio::select! {
                count = self.read.read(&mut chunk) => count.unwrap_or(0),
                () = self.place.lost() => return self.give_way(),
                // The daemon ends: requests that were read are answered, and no more are read.
                () = stopped(&mut self.stopping) => return,
            };
            self.place.works();
            let mut input = &chunk[..count];
            while let Some(frame) = self.frames.next(&mut input) {
                if self.answer(frame, &mut input).await.is_err() {
                    return;
                }
                // Other connections have their turn between two requests of this one.
                tokio::task::yield_now().await;
            }
            if count == 0 {
                if let Some(frame) = self.frames.finish() {
                    let _ = self.answer(frame, &mut input).await;
                }
                return;
            }
        }
    }

    /// Sends the reason why this connection ends, if the socket takes it without waiting.
    fn give_way(&self) {
        let message = "too many connections are open: this one gave way to another";
        let line = Reply::refused(&Value::Null, &ControlError::new(ErrorCode::Busy, message));
        let _ = self.write.try_write(line.as_bytes());
    }

    async fn say(&mut self, line: &str) -> Result<(), Gone> {
        self.say_within(PATIENCE, line).await
    }

    /// Writes a line, and waits until the other end has taken it; or gives up if the place is
    /// wanted by another connection.
    async fn say_within(&mut self, patience: Duration, line: &str) -> Result<(), Gone> {
        let mut written = std::pin::pin!(self.write.write_all(line.as_bytes()));
        if let Ok(done) = tokio::time::timeout(STALLED, &mut written).await {
            return done.map_err(|_| Gone);
        }
        self.place.rests();
        let done = tokio::select! {
            done = tokio::time::timeout(patience, written) => matches!(done, Ok(Ok(()))),
            () = self.place.lost() => false,
            () = stopped(&mut self.stopping) => false,
        };
        self.place.works();
        if done { Ok(()) } else { Err(Gone) }
    }

    /// Answers one request. `behind` are the bytes read after it: a stream of events never ends, so
    /// they are refused there.
    async fn answer(&mut self, frame: Frame, behind: &mut &[u8]) -> Result<(), Gone> {
        let request = match frame {
            Frame::Line(line) => Request::parse(&line),
            Frame::TooLong => {
                let message = format!("a request has at most {MAX_REQUEST} bytes");
                let error = ControlError::new(ErrorCode::BadRequest, message);
                return self.say(&Reply::refused(&Value::Null, &error)).await;
            }
        };
        let id = request.id;
        let command = match request.command {
            Ok(command) => command,
            Err(error) => return self.say(&Reply::refused(&id, &error)).await,
        };
        match self.ask(command).await {
            Err(error) => self.say(&Reply::refused(&id, &error)).await,
            Ok(Answered::One(value)) => self.say(&Reply::done(&id, Place::Last, &value)).await,
            Ok(Answered::Warned(value, warning)) => self.say(&Reply::done_but(&id, value, warning)).await,
            Ok(Answered::Written(json)) => self.say(&Reply::done_with(&id, json)).await,
            Ok(Answered::Measured(families, true)) => {
                self.say_result(&id, Ok(Metrics { text: None, families: Some(families) })).await
            }
            Ok(Answered::Measured(families, false)) => {
                let text = Some(text(&families, Format::OpenMetrics));
                self.say_result(&id, Ok(Metrics { text, families: None })).await
            }
            Ok(Answered::List(listing)) => {
                let id = id.clone();
                self.say_made(move || listing.answer(&id)).await
            }
            Ok(Answered::Lines(stored)) if request.more => {
                let Stored { tail: lines, .. } = self.aside(move || stored.selected()).await.map_err(|_| Gone)?;
                let count = lines.len() as u64;
                for page in lines.chunks(PAGE) {
                    let (id, page) = (id.clone(), page.to_vec());
                    self.say_made(move || written(&id, &page)).await?;
                }
                self.say(&Reply::done(&id, Place::Last, &Count { count })).await
            }
            Ok(Answered::Lines(stored)) => {
                let id = id.clone();
                self.say_made(move || {
                    let Stored { tail: lines, .. } = stored.selected();
                    let count = lines.len() as u64;
                    Reply::done(&id, Place::Last, &Lines { lines: told(&lines), count })
                })
                .await
            }
            Ok(Answered::Stored(stored, source)) => self.stored(&id, stored, source, request.more).await,
            Ok(Answered::Count(stored, beside, source)) => {
                let counted = self.read_disk(move || count(stored, beside, &source)).await;
                self.say_result(&id, counted.unwrap_or_else(|_| Err(broken()))).await
            }
            Ok(Answered::Stats(stats, source)) => {
                let told = self.read_disk(move || by_room(*stats, &source)).await;
                self.say_result(&id, told.unwrap_or_else(|_| Err(broken()))).await
            }
            Ok(Answered::Report(shown, source)) => {
                let told = self.read_disk(move || with_lines(*shown, &source)).await;
                self.say_result(&id, told.map_err(|_| broken())).await
            }
            Ok(Answered::Backup(source)) => self.backup(&id, source).await,
            Ok(Answered::Events(events)) => self.stream(&id, events, behind).await,
        }
    }

    /// Has something done on another thread, because it takes the processor long; one such thing at a time, of all
    /// connections. What waits for the disk is not done so: others would wait for it as well.
    async fn aside<T: Send + 'static>(&self, what: impl FnOnce() -> T + Send + 'static) -> Result<T, JoinError> {
        // It is never closed.
        let permit = self.admins.aside.acquire().await;
        let done = tokio::task::spawn_blocking(what).await;
        drop(permit);
        done
    }

    /// Sends the text that `make` makes on another thread, because it takes long.
    async fn say_made(&mut self, make: impl FnOnce() -> String + Send + 'static) -> Result<(), Gone> {
        match self.aside(make).await {
            Ok(line) => self.say(&line).await,
            // The thread has panicked, and the panic's message is in the journal.
            Err(_) => Err(Gone),
        }
    }

    async fn say_result<T: serde::Serialize>(
        &mut self,
        id: &Value,
        result: Result<T, ControlError>,
    ) -> Result<(), Gone> {
        match result {
            Ok(result) => self.say(&Reply::done(id, Place::Last, &result)).await,
            Err(error) => self.say(&Reply::refused(id, &error)).await,
        }
    }

    /// Replaces a command's password by its hash: neither the tape nor the journal may hold a
    /// password.
    async fn without_password(&self, mut command: Command) -> Result<Command, ControlError> {
        let Some(Secret { name, password, hashed }) = command.secret() else { return Ok(command) };
        let Some(password) = password.take() else { return Ok(command) };
        if hashed.is_some() {
            let message = "there are both \"password\" and \"hashed\"";
            return Err(ControlError::new(ErrorCode::BadArgument, message));
        }
        let (least, cost) = *self.passwords.lock().unwrap_or_else(PoisonError::into_inner);
        // The hub refuses a name that is not valid.
        if let Ok(name) = Name::parse(name, usize::from(u8::MAX)) {
            login::password(&password.0, &name, least)?;
        }
        let done = self.aside(move || hashing::hash(&password.0, cost)).await;
        let failed =
            |why: &str| ControlError::new(ErrorCode::Internal, format!("the password cannot be hashed: {why}"));
        *hashed = Some(Text(done.map_err(|_| failed("it panicked"))?.map_err(|why| failed(&why))?.0.to_string()));
        Ok(command)
    }

    async fn ask(&mut self, command: Command) -> Result<Answered, ControlError> {
        let spec = command.spec();
        if self.level < spec.level() {
            let message = format!("{} is not for the monitoring socket; ask on the admin socket", spec.name);
            return Err(ControlError::new(ErrorCode::Denied, message));
        }
        match command.duty() {
            Duty::Connection(ForConnection::Hello(NoArgs {})) => {
                let hello = Hello {
                    name: "chathub".to_owned(),
                    version: env!("CARGO_PKG_VERSION").to_owned(),
                    protocol: PROTOCOL,
                    pid: std::process::id(),
                    level: self.level,
                };
                return Ok(Answered::One(serde_json::to_value(hello).expect("results are plain JSON")));
            }
            Duty::Connection(ForConnection::Describe(args)) => {
                let args = args.clone();
                // Some milliseconds the first time, and no reason for others to wait.
                let described = self.aside(move || described(&args)).await;
                return described.unwrap_or_else(|_| Err(broken())).map(Answered::Written);
            }
            Duty::Listing(listing) => return self.list(listing).await,
            Duty::Hub | Duty::Driver(_) => {}
        }
        let gone = || ControlError::new(ErrorCode::Conflict, "the hub is shutting down");
        let command = self.without_password(command).await?;
        if let Command::HistoryRedact(args) = &command {
            self.knows_room(args).await?;
        }
        let args = command.changes().then(|| audited(&command));
        let (reply, answer) = oneshot::channel();
        let arrival = Arrival::Control { command: Box::new(command), by: self.by, reply };
        // One request at a time is handled, of all connections: clients have their turn between two
        // of them.
        let turn = self.admins.turn.acquire().await.map_err(|_| gone())?;
        self.arrivals.send(arrival).await.map_err(|_| gone())?;
        let answer = match spec.carrier {
            Carrier::Writer => {
                drop(turn);
                tokio::time::timeout(DISK_PATIENCE, answer).await.unwrap_or_else(|_| {
                    let message = "done in memory; the disk takes nothing now, and it is done there as soon as it does";
                    Ok(Err(ControlError::new(ErrorCode::Timeout, message)))
                })
            }
            Carrier::End => {
                // The answer comes at the very end. Until then others may ask.
                drop(turn);
                answer.await
            }
            Carrier::Connection | Carrier::Listing | Carrier::Hub | Carrier::Reader | Carrier::Driver => {
                let answer = answer.await;
                drop(turn);
                answer
            }
        };
        let answer = answer.unwrap_or_else(|_| Err(gone()));
        if let Some(args) = args {
            let outcome = match &answer {
                Ok(_) => "done",
                Err(error) => error.message.as_str(),
            };
            // Looked up once for each connection, on another thread: a directory service may take
            // its time.
            if self.called.is_none()
                && let Some(uid) = self.by.uid()
            {
                self.called = tokio::task::spawn_blocking(move || users::called(uid)).await.ok();
            }
            let by = self.called.as_deref().unwrap_or("an unknown user");
            info!(
                message_id = ids::ADMIN,
                chathub_command = spec.name,
                chathub_args = args,
                chathub_outcome = outcome,
                chathub_admin_uid = self.by.uid(),
                chathub_admin_pid = self.by.pid(),
                chathub_by = by,
                "admin command{}",
                InWords(format_args!("{} by {by}, {outcome}", spec.name))
            );
        }
        answer
    }

    /// Refuses to remove lines of a room that neither is there nor was: a slip should change
    /// nothing. Only the disk knows all rooms that there were.
    async fn knows_room(&mut self, args: &RedactArgs) -> Result<(), ControlError> {
        if args.dry_run || args.room.is_none() {
            return Ok(());
        }
        let look = Command::HistoryRedact(RedactArgs { dry_run: true, ..args.clone() });
        let Ok(Answered::Count(stored, _, source)) = Box::pin(self.ask(look)).await else { return Ok(()) };
        let knows = self.read_disk(move || disk::knows_room(&stored, &source)).await;
        knows.unwrap_or_else(|_| Err(broken()))
    }

    /// Has the driver make a long list, one part at a time.
    async fn list(&self, mut listing: Box<Listing>) -> Result<Answered, ControlError> {
        let gone = || ControlError::new(ErrorCode::Conflict, "the hub is shutting down");
        loop {
            let (reply, answer) = oneshot::channel();
            let turn = self.admins.turn.acquire().await.map_err(|_| gone())?;
            self.arrivals.send(Arrival::List { listing, reply }).await.map_err(|_| gone())?;
            let (so_far, more) = answer.await.map_err(|_| gone())??;
            drop(turn);
            listing = so_far;
            if !more {
                return Ok(Answered::List(listing));
            }
        }
    }

    /// Sends events until the other end has closed the connection, or the daemon ends. A request
    /// that comes meanwhile is refused, so that none is left without an answer.
    async fn stream(&mut self, id: &Value, mut events: mpsc::Receiver<Event>, behind: &mut &[u8]) -> Result<(), Gone> {
        self.refuse_while_streaming(behind).await?;
        let mut chunk = vec![0; 1024];
        let mut ended = false;
        let mut look = tokio::time::interval(LOOK);
        let mut count = 0;
        loop {
            tokio::select! {
                event = events.recv() => match event {
                    Some(event) => {
                        self.say(&Reply::done(id, Place::More, &event)).await?;
                        count += 1;
                    }
                    // The driver has ended, and has sent all events before.
                    None => {
                        let _ = self.say(&Reply::done(id, Place::Last, &Count { count })).await;
                        return Err(Gone);
                    }
                },
                read = self.read.read(&mut chunk), if !ended => {
                    let read = read.map_err(|_| Gone)?;
                    self.refuse_while_streaming(&mut &chunk[..read]).await?;
                    ended = read == 0;
                    if ended && let Some(frame) = self.frames.finish() {
                        self.refuse_one_while_streaming(frame).await?;
                    }
                }
                () = self.place.lost() => {
                    self.give_way();
                    return Err(Gone);
                }
                _ = look.tick(), if ended => {
                    if self.is_hung_up() {
                        return Err(Gone);
                    }
                }
            }
        }
    }

    async fn refuse_while_streaming(&mut self, input: &mut &[u8]) -> Result<(), Gone> {
        while let Some(frame) = self.frames.next(input) {
            self.refuse_one_while_streaming(frame).await?;
        }
        Ok(())
    }

    async fn refuse_one_while_streaming(&mut self, frame: Frame) -> Result<(), Gone> {
        let id = match frame {
            Frame::Line(line) => Request::parse(&line).id,
            Frame::TooLong => Value::Null,
        };
        let message = "this connection streams events until it is closed; open another one";
        self.say(&Reply::refused(&id, &ControlError::new(ErrorCode::Conflict, message))).await
    }

    /// Whether the other end has closed both directions.
    fn is_hung_up(&self) -> bool {
        let mut fds = [PollFd::new(self.write.as_ref().as_fd(), PollFlags::empty())];
        nix::poll::poll(&mut fds, PollTimeout::ZERO).is_ok()
            && fds[0].revents().is_some_and(|events| events.intersects(PollFlags::POLLHUP | PollFlags::POLLERR))
    }
}

/// The arguments of a command for the audit line: whom and what it concerns, but not what is said
/// to people.
fn audited(command: &Command) -> String {
    let mut args = command.args();
    if let Some(object) = args.as_object_mut() {
        for key in command.spec().unaudited {
            object.remove(*key);
        }
    }
    args.to_string()
}
