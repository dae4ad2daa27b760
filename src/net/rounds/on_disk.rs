//! Clients to which nothing is written until a record is on disk.
//!
//! Where no tape is kept, a change that a client has made is lost with the process until it is on
//! disk. So the answer that it is done waits for the disk: some hundredths of a second, as long as
//! the disk keeps up. Everything else that the client is owed waits too, so that the order stays.
//! Nobody else waits.

use std::collections::BTreeSet;

use super::Rounds;
use crate::values::id::SessionId;

/// The clients that wait for a record, each once.
#[derive(Debug, Default)]
pub(super) struct Awaiting {
    /// The number of the record, and the client's key.
    records: BTreeSet<(u64, usize)>,
    /// The number of the last record that is on disk; all before it are as well.
    through: u64,
}

impl Awaiting {
    /// How many clients wait.
    pub(super) fn len(&self) -> usize {
        self.records.len()
    }

    pub(super) fn clear(&mut self) {
        self.records.clear();
    }
}

impl Rounds {
    /// Writes nothing to a client until this record is on disk. Of several records, the client
    /// waits for the last one.
    pub(super) fn await_record(&mut self, id: SessionId, record: u64) {
        let Some(key) = self.key(id).filter(|_| record > self.awaiting.through) else { return };
        // Of several, the last one.
        let record = record.max(self.clients[key].awaits.unwrap_or_default());
        self.forget_record(key);
        self.clients[key].awaits = Some(record);
        self.awaiting.records.insert((record, key));
    }

    /// Notes that all records up to `through` are on disk. Clients that waited for one of them are
    /// written to.
    pub(super) fn on_disk(&mut self, through: u64) {
        self.awaiting.through = self.awaiting.through.max(through);
        while let Some((record, key)) = self.awaiting.records.first().copied()
            && record <= self.awaiting.through
        {
            self.awaiting.records.pop_first();
            self.clients[key].awaits = None;
            self.look(key);
        }
    }

    /// The client no longer waits for any record.
    pub(super) fn forget_record(&mut self, key: usize) {
        if let Some(record) = self.clients[key].awaits.take() {
            self.awaiting.records.remove(&(record, key));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::{Exchanges, Work};
    use super::*;
    use crate::machine::Order;
    use crate::net::connection::Connection;
    use crate::net::keep::tape::Tape;
    use crate::settings::Settings;

    /// Rounds with these clients, whose sockets take all that they are given.
    fn rounds(ids: &[Arc<Connection>]) -> Rounds {
        let mut rounds = Rounds::new(Exchanges::default(), (&Settings::default()).into(), Tape::unkept().1);
        for connection in ids {
            rounds.apply(Work::Connection(connection.clone()));
            rounds.apply(Work::Order(Order::Attach(connection.id)));
        }
        rounds
    }

    fn connection(id: u64) -> Arc<Connection> {
        let connection = Connection::played(SessionId(id), Vec::new());
        connection.played.as_ref().expect("it is played").lock().expect("one thread").room = 1 << 30;
        Arc::new(connection)
    }

    fn tell(rounds: &mut Rounds, connection: &Connection, text: &str) {
        rounds.apply(Work::Order(Order::Tell(connection.id, text.as_bytes().into())));
    }

    fn written(rounds: &mut Rounds, connection: &Connection) -> String {
        rounds.make_rounds(&mut 1000);
        let played = connection.played.as_ref().expect("it is played").lock().expect("one thread");
        String::from_utf8(played.taken.clone()).expect("text")
    }

    #[test]
    fn only_the_client_that_needs_a_record_on_disk_waits_for_it() {
        let (ann, bob) = (connection(1), connection(2));
        let mut rounds = rounds(&[ann.clone(), bob.clone()]);
        tell(&mut rounds, &ann, "before ");
        rounds.apply(Work::Await(ann.id, 7));
        tell(&mut rounds, &ann, "done ");
        tell(&mut rounds, &bob, "hello ");
        assert_eq!(written(&mut rounds, &ann), "");
        assert_eq!(written(&mut rounds, &bob), "hello ");
        // The last record that was asked for counts.
        rounds.apply(Work::Await(ann.id, 9));
        tell(&mut rounds, &ann, "and this ");
        rounds.apply(Work::OnDisk(8));
        assert_eq!(written(&mut rounds, &ann), "");
        rounds.apply(Work::OnDisk(9));
        assert_eq!(written(&mut rounds, &ann), "before done and this ");
        // A record that is on disk already is not waited for.
        rounds.apply(Work::Await(ann.id, 9));
        tell(&mut rounds, &ann, "again");
        assert_eq!(written(&mut rounds, &ann), "before done and this again");
        assert_eq!(rounds.awaiting.len(), 0);
    }

    #[test]
    fn a_client_being_closed_waits_for_the_disk_and_is_not_given_up_for_that() {
        let (ann, bob) = (connection(1), connection(2));
        let mut rounds = rounds(&[ann.clone(), bob.clone()]);
        rounds.apply(Work::Await(ann.id, 7));
        tell(&mut rounds, &ann, "goodbye");
        rounds.apply(Work::Order(Order::Close(ann.id)));
        assert_eq!((written(&mut rounds, &ann).as_str(), rounds.clients.len()), ("", 2));
        rounds.apply(Work::OnDisk(7));
        assert_eq!((written(&mut rounds, &ann).as_str(), rounds.clients.len()), ("goodbye", 1));
        // A client with more than a mailbox of mail does not wait.
        rounds.apply(Work::Await(bob.id, 9));
        let much = "x".repeat(rounds.limits.mailbox / 2 + 1);
        tell(&mut rounds, &bob, &much);
        assert_eq!(written(&mut rounds, &bob), "");
        tell(&mut rounds, &bob, &much);
        assert_eq!(written(&mut rounds, &bob).len(), 2 * much.len());
        assert!(rounds.clients.iter().all(|(_, client)| !client.given_up));
        assert_eq!(rounds.awaiting.len(), 0);
        rounds.apply(Work::Await(bob.id, 10));
        rounds.apply(Work::Abandon(tokio::sync::oneshot::channel().0));
        assert_eq!(rounds.awaiting.len(), 0);
        rounds.apply(Work::OnDisk(10));
    }
}
