//! Taking over what another process has left.

use std::collections::BTreeMap;
use std::os::unix::fs::FileExt as _;
use std::sync::Arc;

use chathub::hub;
use chathub::hub::archive::Recalled;
use chathub::kernel;
use chathub::machine::Input;
use chathub::net::connection::Connection;
use chathub::net::keep::recovery::replay;
use chathub::net::keep::tape::Tape;
use chathub::net::rounds::Work;
use chathub::settings::Settings;
use chathub::values::id::SessionId;

use super::stage::{Left, Peer, Stage, connected, new_rounds};

impl Stage {
    /// Takes over as a process does that another one has handed everything over to: `recovery` reads the tape, and
    /// then the driver tells the machine that it was restarted.
    ///
    /// # Errors
    /// Why it cannot be taken over; then everybody would be disconnected.
    pub fn resume(left: &Left) -> Result<Self, String> {
        let file = kernel::memory_file("chathub-tape", left.size).expect("a memory file");
        let file = std::fs::File::from(file);
        for (at, word) in &left.words {
            file.write_all_at(&word.to_le_bytes(), at * 8).expect("it is ours");
        }
        let snapshot = [left.machine.as_bytes(), left.rounds.as_bytes()].concat();
        file.write_all_at(&snapshot, left.half).expect("it is ours");

        let opened = Tape::open(file.into()).map_err(|unusable| unusable.to_string())?;
        let (mut tape, cuts) = opened.ok_or("there is nothing on the tape")?;
        let made = cuts.all().map_err(|unusable| unusable.to_string())?;
        let (mut rounds, parts) = new_rounds(&Settings::default(), cuts);
        let sent = left.sent();
        let mut peers = BTreeMap::new();
        let connection = |id: SessionId, cookie| {
            let (socket, far) = connected(false);
            let connection = Arc::new(Connection::new(id, cookie, Some(far.into())));
            peers.insert(id, Peer::of(socket, Arc::clone(&connection)));
            (connection, sent[&id])
        };
        let again = replay(&mut tape, made, &mut rounds, connection, |_| false)?;
        if let Some(lost) = again.lost.first() {
            return Err(format!("it is not known what {lost} is owed"));
        }
        if let Some(session) = again.machine.hub().sessions().find(|session| !rounds.knows(session.id)) {
            return Err(format!("{} has no connection", session.id));
        }
        let mut stage = Self::of(again.machine, left.at, tape, rounds, parts);
        stage.peers = peers;
        Ok(stage)
    }

    /// What the driver tells the machine before anything else, where the store finds the disk as it was.
    pub fn restart(&mut self) {
        self.input(Input::Restarted);
        let hub = self.machine.hub();
        let recalled = Recalled { unread: hub.is_unread(), ..Recalled::default() };
        self.input(hub::News::Archive(hub.is_recording().then(|| Box::new(recalled))));
        let crowded = self.machine.hub().sessions().filter(|session| session.crowded);
        crowded.for_each(|session| self.to_rounds.push(Work::Crowded(session.id)));
        self.turn();
        let ids: Vec<_> = self.peers.keys().copied().collect();
        self.more.extend(ids.into_iter().filter(|id| self.machine.has_more(*id)));
        self.next_turns();
    }
}
