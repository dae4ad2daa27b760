//! Who holds the connections to the admin sockets, and which of them is closed for a new one when
//! there are too many.
//!
//! [`KEPT`] places beyond the limit are for root, who runs the unit's own commands (`ExecReload=`,
//! `ExecStop=`). Any other user gets at most half of the places. A connection that is idle, or
//! whose answer nobody reads, is closed for a new one: first one of the same user, then one of the
//! user who holds most.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

/// Places beyond the limit, for root.
pub const KEPT: usize = 4;

/// A connection is idle, and may be closed for a new one, if nothing was asked on it for this long.
/// One that has just come is about to ask.
const IDLE: Duration = Duration::from_secs(1);

/// All connections of the admin sockets.
#[derive(Debug)]
pub struct Admins {
    limit: AtomicUsize,
    next: AtomicU64,
    held: Mutex<BTreeMap<u64, Held>>,
    /// The permit to have the driver handle a request. There is only one, so that many requests do
    /// not crowd out clients.
    pub(super) turn: Semaphore,
    /// The permit to have something long done on another thread: text made of a long answer, a password hashed. There is
    /// one, so that administrators take no more than one processor's time and one answer's memory, and one password's.
    pub(super) aside: Semaphore,
    /// The turn to read the disk. There is one, so that many who ask take no more than one processor's time; who waits for
    /// its administrator to take a page lets others read meanwhile.
    pub(super) reading: Mutex<()>,
    /// The permit to make a copy of the recorded history. There is one, so that copies take the place
    /// of one file on disk.
    copy: Arc<Semaphore>,
    /// The number of the connection that was given the permit last.
    copier: AtomicU64,
    /// The daemon's own user, who has root's rights here: it could end the daemon anyway.
    own_uid: u32,
}

#[derive(Debug)]
struct Held {
    uid: u32,
    pid: i32,
    since: Instant,
    /// When the last request on it was answered; `None` while one is under way.
    idle: Option<Instant>,
    leaves: Arc<Notify>,
}

/// A connection to an admin socket, for `status`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Holder {
    /// The user id.
    pub uid: u32,
    /// The process id.
    pub pid: i32,
    /// How long the connection has been open.
    pub since: Duration,
    /// How long ago the last request was answered; `None` while one is under way.
    pub idle: Option<Duration>,
}

/// Who makes a copy of the recorded history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Copier {
    pub(super) uid: u32,
    pub(super) pid: i32,
}

/// A place for one connection. Dropping it gives the place back.
#[derive(Debug)]
pub(super) struct Place {
    admins: Arc<Admins>,
    number: u64,
    leaves: Arc<Notify>,
}

/// No place is free: the number is the limit that was reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Full {
    /// The limit of all connections.
    All(usize),
    /// The limit of this user's connections.
    Own(usize),
}

impl Admins {
    /// No connections yet, and room for `limit`.
    #[must_use]
    pub fn new(limit: usize) -> Arc<Self> {
        Arc::new(Self {
            limit: AtomicUsize::new(limit),
            next: AtomicU64::new(0),
            held: Mutex::default(),
            turn: Semaphore::new(1),
            aside: Semaphore::new(1),
            reading: Mutex::default(),
            copy: Arc::new(Semaphore::new(1)),
            copier: AtomicU64::new(u64::MAX),
            own_uid: nix::unistd::geteuid().as_raw(),
        })
    }

    /// Changes the limit to `limit` connections. Connections that are open stay.
    pub fn set_limit(&self, limit: usize) {
        self.limit.store(limit, Ordering::Relaxed);
    }

    /// The holders of all connections, the oldest first.
    #[must_use]
    pub fn holders(&self) -> Vec<Holder> {
        let now = Instant::now();
        let held = self.held();
        let holder = |held: &Held| Holder {
            uid: held.uid,
            pid: held.pid,
            since: now.duration_since(held.since),
            idle: held.idle.map(|since| now.duration_since(since)),
        };
        held.values().map(holder).collect()
    }

    /// How many connections there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.held().len()
    }

    fn held(&self) -> MutexGuard<'_, BTreeMap<u64, Held>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a place for a connection of process `pid` of user `uid`. An idle connection may be
    /// closed for it.
    pub(super) fn enter(self: &Arc<Self>, uid: u32, pid: i32) -> Result<Place, Full> {
        self.enter_at(uid, pid, Instant::now())
    }

    fn enter_at(self: &Arc<Self>, uid: u32, pid: i32, now: Instant) -> Result<Place, Full> {
        let limit = self.limit.load(Ordering::Relaxed);
        let mut held = self.held();
        if self.is_privileged(uid) {
            if held.len() >= limit + KEPT {
                // First an idle connection of another user is closed, then any idle one, and at
                // last even one of another user with a request under way: that user can connect
                // again.
                let others = |held: &Held| !self.is_privileged(held.uid);
                let leaves = idle_longest(&held, now, others)
                    .or_else(|| idle_longest(&held, now, |_| true))
                    .or_else(|| held.iter().find(|(_, held)| others(held)).map(|(number, _)| *number));
                dismiss(&mut held, leaves.ok_or(Full::All(limit + KEPT))?);
            }
        } else {
            let count = |uid: u32| held.values().filter(|held| held.uid == uid).count();
            let (most, own) = (limit.div_ceil(2), count(uid));
            if own >= most {
                let leaves = idle_longest(&held, now, |held| held.uid == uid);
                dismiss(&mut held, leaves.ok_or(Full::Own(most))?);
            } else if held.len() >= limit {
                // Only a user who holds more than the new connection's user would hold with it
                // loses one.
                let more = |held: &Held| !self.is_privileged(held.uid) && count(held.uid) > own + 1;
                let leaves =
                    idle_longest(&held, now, more).or_else(|| idle_longest(&held, now, |held| held.uid == uid));
                dismiss(&mut held, leaves.ok_or(Full::All(limit))?);
            }
        }
        let (number, leaves) = (self.next.fetch_add(1, Ordering::Relaxed), Arc::new(Notify::new()));
        held.insert(number, Held { uid, pid, since: now, idle: Some(now), leaves: leaves.clone() });
        Ok(Place { admins: self.clone(), number, leaves })
    }

    /// Gives a connection the permit to make a copy of the recorded history. A connection that has
    /// the permit, and whose answer nobody reads, is closed for it. If the connection that had it is
    /// gone, waits at most `patience` until its copy is gone too.
    ///
    /// # Errors
    /// Another connection makes a copy: its holder, if it is still open.
    pub(super) async fn may_copy(
        &self,
        place: &Place,
        patience: Duration,
    ) -> Result<OwnedSemaphorePermit, Option<Copier>> {
        let permit = match self.copy.clone().try_acquire_owned() {
            Ok(permit) => permit,
            Err(_) => {
                {
                    let (mut held, number) = (self.held(), self.copier.load(Ordering::Relaxed));
                    match held.get(&number) {
                        Some(copier) if copier.idle.is_some() => dismiss(&mut held, number),
                        Some(copier) => return Err(Some(Copier { uid: copier.uid, pid: copier.pid })),
                        None => {}
                    }
                }
                // The thread that makes the copy gives the permit back as soon as it notices that its
                // connection is gone.
                match tokio::time::timeout(patience, self.copy.clone().acquire_owned()).await {
                    Ok(Ok(permit)) => permit,
                    Ok(Err(_)) | Err(_) => return Err(None),
                }
            }
        };
        self.copier.store(place.number, Ordering::Relaxed);
        Ok(permit)
    }

    fn is_privileged(&self, uid: u32) -> bool {
        uid == 0 || uid == self.own_uid
    }
}

/// Of the connections for which `of` is true, the one that has been idle longest, and at least
/// [`IDLE`].
fn idle_longest(held: &BTreeMap<u64, Held>, now: Instant, of: impl Fn(&Held) -> bool) -> Option<u64> {
    held.iter()
        .filter(|(_, held)| of(held))
        .filter_map(|(number, held)| Some((held.idle.filter(|since| now.duration_since(*since) >= IDLE)?, *number)))
        .min()
        .map(|(_, number)| number)
}

fn dismiss(held: &mut BTreeMap<u64, Held>, number: u64) {
    if let Some(held) = held.remove(&number) {
        held.leaves.notify_one();
    }
}

impl Place {
    /// A request is under way on the connection.
    pub(super) fn works(&self) {
        self.set(None);
    }

    /// No request is under way, or nobody takes its answer.
    pub(super) fn rests(&self) {
        self.set(Some(Instant::now()));
    }

    fn set(&self, idle: Option<Instant>) {
        if let Some(held) = self.admins.held().get_mut(&self.number) {
            held.idle = idle;
        }
    }

    /// Waits until the connection has to be closed for another one.
    pub(super) async fn lost(&self) {
        self.leaves.notified().await;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.admins.held().remove(&self.number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANN: u32 = 4_000_001;
    const BOB: u32 = 4_000_002;

    fn fill(admins: &Arc<Admins>, uid: u32, count: usize, now: Instant) -> Vec<Place> {
        (0..count).map(|_| admins.enter_at(uid, 1, now).expect("there is a place")).collect()
    }

    fn uids(admins: &Admins) -> Vec<u32> {
        admins.held().values().map(|held| held.uid).collect()
    }

    #[test]
    fn one_user_gets_half_of_the_places_and_gives_way_to_itself() {
        let (admins, now) = (Admins::new(8), Instant::now());
        let own = fill(&admins, ANN, 4, now);
        assert_eq!(admins.enter_at(ANN, 1, now).err(), Some(Full::Own(4)), "they have just come");
        own[0].works();
        let later = now + IDLE;
        let fifth = admins.enter_at(ANN, 5, later).expect("an idle one gives way");
        assert_eq!(admins.holders().len(), 4);
        assert!(admins.held().contains_key(&own[0].number) && !admins.held().contains_key(&own[1].number));
        drop((own, fifth));
        assert_eq!(admins.holders(), []);
    }

    #[test]
    fn root_finds_a_place_whatever_others_hold() {
        let (admins, now) = (Admins::new(4), Instant::now());
        let others: Vec<_> = [ANN, ANN, BOB, BOB].map(|uid| admins.enter_at(uid, 1, now).expect("a place")).into();
        others.iter().for_each(Place::works);
        let kept = fill(&admins, 0, KEPT, now);
        kept.iter().for_each(Place::works);
        assert_eq!(uids(&admins).len(), 4 + KEPT);
        // One more of root's closes one of somebody else, even with a request under way.
        let more = fill(&admins, 0, 4, now);
        more.iter().for_each(Place::works);
        assert_eq!(uids(&admins), vec![0; 4 + KEPT]);
        assert_eq!(admins.enter_at(0, 1, now).err(), Some(Full::All(4 + KEPT)));
        assert_eq!(admins.enter_at(ANN, 1, now + IDLE).err(), Some(Full::All(4)));
    }

    #[test]
    fn whoever_holds_most_gives_way_to_others_and_nobody_to_an_equal() {
        let (admins, now) = (Admins::new(4), Instant::now());
        let own = fill(&admins, ANN, 2, now);
        let other = fill(&admins, BOB, 2, now);
        assert_eq!(admins.enter_at(4_000_003, 1, now).err(), Some(Full::All(4)), "all have just come");
        let third = admins.enter_at(4_000_003, 1, now + IDLE).expect("a place");
        assert_eq!(uids(&admins), [ANN, BOB, BOB, 4_000_003]);
        assert_eq!(admins.enter_at(4_000_004, 1, now + IDLE).map(|_| ()), Ok(()));
        drop((own, other, third));
    }

    #[tokio::test]
    async fn one_copy_is_made_at_a_time_and_one_that_nobody_reads_gives_way() {
        let (admins, now) = (Admins::new(8), Instant::now());
        let [ann, bob] = [ANN, BOB].map(|uid| admins.enter_at(uid, 7, now).expect("a place"));
        [&ann, &bob].into_iter().for_each(Place::works);
        let long = Duration::from_secs(60);
        let first = admins.may_copy(&ann, long).await.expect("nobody copies");
        let busy = Some(Copier { uid: ANN, pid: 7 });
        assert_eq!(admins.may_copy(&bob, long).await.err(), Some(busy));
        // Nobody takes the next piece. The connection is told to end; its thread has not noticed yet.
        ann.rests();
        let (second, ()) = tokio::join!(admins.may_copy(&bob, long), async {
            ann.lost().await;
            drop(first);
        });
        let second = second.expect("the first has given way");
        assert_eq!(admins.may_copy(&ann, long).await.err(), Some(Some(Copier { uid: BOB, pid: 7 })));
        // Bob is gone, and the copy is still being made: it cannot be waited for without end.
        drop(bob);
        assert_eq!(admins.may_copy(&ann, Duration::ZERO).await.err(), Some(None));
        drop(second);
        assert!(admins.may_copy(&ann, long).await.is_ok());
    }

    #[test]
    fn a_single_place_can_be_held_by_one_connection() {
        let (admins, now) = (Admins::new(1), Instant::now());
        let own = fill(&admins, ANN, 1, now);
        assert_eq!(admins.enter_at(ANN, 1, now).err(), Some(Full::Own(1)));
        assert_eq!(admins.enter_at(BOB, 1, now + IDLE).err(), Some(Full::All(1)));
        drop(own);
        fill(&admins, BOB, 1, now);
    }
}
