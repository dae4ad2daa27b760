use super::*;
use crate::hub::message::{Message, Said};
use crate::hub::{Input, News};
use crate::settings::Settings;
use crate::values::time::Now;

struct Stage {
    hub: Hub,
    next: u64,
}

impl Stage {
    fn new() -> Self {
        let hub = Hub::new(Settings::default(), [7; 16], Now::default(), &mut Vec::new());
        Self { hub, next: 1 }
    }

    fn comes(&mut self, nick: &str) -> SessionId {
        let session = SessionId(self.next);
        self.next += 1;
        let port = u16::try_from(session.0).expect("few");
        let peer = ([192, 0, 2, 1], port).into();
        self.hub.handle(
            Input::Connect { session, peer, encrypted: false, certificate: None },
            Now::default(),
            &mut Vec::new(),
        );
        self.says(session, &format!("/nick {nick}"));
        session
    }

    fn says(&mut self, session: SessionId, text: &str) -> Vec<Effect> {
        let mut effects = Vec::new();
        self.hub.handle(Input::Line { session, text: text.to_owned() }, Now::default(), &mut effects);
        effects
    }

    /// Whether a line that `author` says now is hidden from `reader`. Checks that the rounds, a
    /// replay of history and private messages agree.
    #[track_caller]
    fn hides(&mut self, reader: SessionId, author: SessionId) -> bool {
        let spoken = self.says(author, "hi there");
        let line = spoken.iter().find_map(|effect| match effect {
            Effect::Post { line, .. } if matches!(line.said, Said::Say { .. }) => Some(line.clone()),
            _ => None,
        });
        let line = line.expect("it is said");
        let mut effects = Vec::new();
        self.hub.turn(Now::default(), &mut effects).hide(reader);
        let Some(Effect::Hide { ignored, names, .. }) = effects.pop() else { panic!("people are hidden") };
        let by_carrier = ignored.contains(&author) || line.borne.is_hidden_by(&names);
        let reader = &self.hub.people.sessions[&reader];
        assert_eq!(self.hub.blinkers(reader).hide(&line), by_carrier, "a replay shows what was shown");
        assert_eq!(reader.ignores(&self.hub.people.sessions[&author]), by_carrier, "and so it is in private");
        by_carrier
    }
}

#[test]
fn an_ignored_name_hides_its_bearer_and_whoever_bears_it_later() {
    let mut stage = Stage::new();
    let [ann, bob, eve] = ["ann", "bob", "eve"].map(|nick| stage.comes(nick));
    stage.says(ann, "/ignore bob");
    assert!(stage.hides(ann, bob) && !stage.hides(ann, eve));
    stage.says(bob, "/nick rob");
    assert!(stage.hides(ann, bob), "another name does not help");
    stage.says(eve, "/nick Bob");
    assert!(stage.hides(ann, eve), "who takes it is meant");
    stage.says(eve, "/nick eve");
    assert!(stage.hides(ann, eve), "and stays so");
    let later = stage.comes("bob");
    assert!(stage.hides(ann, later));
    assert!(!stage.hides(eve, later), "by those who have said so");
    stage.hub.check_invariants();
}

#[test]
fn a_former_bearer_of_a_name_is_not_hidden_when_it_is_ignored() {
    let mut stage = Stage::new();
    let [ann, bob, eve, zoe] = ["ann", "bob", "eve", "zoe"].map(|nick| stage.comes(nick));
    // Zoe ignores the name as well, so it has a number.
    stage.says(zoe, "/ignore bob");
    stage.says(bob, "/nick rob");
    stage.says(eve, "/nick bob");
    stage.says(ann, "/ignore bob");
    assert!(stage.hides(ann, eve));
    assert!(!stage.hides(ann, bob) && stage.hides(zoe, bob));
}

#[test]
fn unignoring_a_new_name_frees_its_bearer_alone() {
    let mut stage = Stage::new();
    let [ann, bob, eve] = ["ann", "bob", "eve"].map(|nick| stage.comes(nick));
    stage.says(ann, "/ignore bob");
    stage.says(bob, "/nick rob");
    stage.says(eve, "/nick bob");
    stage.says(ann, "/unignore rob");
    assert!(!stage.hides(ann, bob) && stage.hides(ann, eve));
    stage.says(eve, "/nick eve");
    assert!(stage.hides(ann, eve));
    stage.says(ann, "/unignore eve");
    assert!(!stage.hides(ann, eve));
    assert!(stage.hub.people.sessions[&ann].ignoring.is_empty(), "the last to bear a name takes it along");
    assert!(stage.hub.people.ignored.names.is_empty());
    stage.hub.check_invariants();
}

#[test]
fn effects_of_a_renaming_do_not_grow_with_the_number_of_ignorers() {
    let effects_with = |ignorers: usize| {
        let mut stage = Stage::new();
        let [bob, eve] = ["bob", "eve"].map(|nick| stage.comes(nick));
        for at in 0..ignorers {
            let ignorer = stage.comes(&format!("crowd{at}"));
            for name in ["bob", "eve"] {
                stage.says(ignorer, &format!("/ignore {name}"));
            }
            // The ignorers are in another room, where they do not hear of the renaming.
            stage.says(ignorer, "/join elsewhere");
        }
        let mut counts = vec![stage.says(bob, "/nick rob").len(), stage.says(eve, "/nick bob").len()];
        counts.push(stage.says(eve, "hi").len());
        let mut effects = Vec::new();
        let (session, peer) = (SessionId(stage.next), ([192, 0, 2, 2], 1).into());
        stage.hub.handle(
            Input::Connect { session, peer, encrypted: false, certificate: None },
            Now::default(),
            &mut effects,
        );
        counts.push(effects.len());
        stage.hub.check_invariants();
        counts
    };
    // In both cases the lobby is told once that the ignorers came.
    assert_eq!(effects_with(30), effects_with(60));
}

#[test]
fn remembered_names_of_a_client_are_bounded_and_include_the_present_one() {
    let mut stage = Stage::new();
    let [ann, bob] = ["ann", "name0"].map(|nick| stage.comes(nick));
    stage.hub.settings.pace.shown = 100;
    for at in 1..=REMEMBERED + 3 {
        stage.says(ann, &format!("/ignore name{}", at - 1));
        stage.says(bob, &format!("/nick name{at}"));
    }
    stage.says(ann, &format!("/ignore name{}", REMEMBERED + 3));
    let borne = &stage.hub.people.sessions[&bob].borne;
    assert_eq!(borne.bearings().len(), REMEMBERED);
    assert!(borne.still());
    assert!(stage.hides(ann, bob));
    stage.hub.check_invariants();
}

#[test]
fn ignore_lists_of_a_release_without_numbers_are_read() {
    let mut stage = Stage::new();
    let [ann, bob, eve] = ["ann", "bob", "eve"].map(|nick| stage.comes(nick));
    stage.says(ann, "/ignore bob");
    stage.says(bob, "/nick rob");
    let mut kept = serde_json::to_value(&stage.hub).expect("plain");
    kept.as_object_mut().expect("fields").remove("next_moment");
    for session in kept["sessions"].as_array_mut().expect("a list") {
        session.as_object_mut().expect("fields").remove("borne");
        for ignored in session.get_mut("ignoring").and_then(|list| list.as_array_mut()).into_iter().flatten() {
            ignored.as_object_mut().expect("fields").retain(|key, _| key != "name" && key != "since");
        }
    }
    stage.hub = serde_json::from_value(kept).expect("it is read");
    let mut effects = Vec::new();
    stage.hub.handle(News::Archive(None), Now::default(), &mut effects);
    assert!(matches!(&*effects, [Effect::Hide { session, names, .. }] if *session == ann && names.len() == 1));
    assert!(stage.hides(ann, bob) && !stage.hides(ann, eve));
    stage.says(eve, "/nick bob");
    assert!(stage.hides(ann, eve));
    // A snapshot of this release keeps it, too.
    let kept = serde_json::to_string(&stage.hub).expect("plain");
    stage.hub = serde_json::from_str(&kept).expect("it is read");
    effects.clear();
    stage.hub.handle(News::Archive(None), Now::default(), &mut effects);
    assert!(effects.is_empty());
    assert!(stage.hides(ann, eve));
    stage.says(eve, "/nick eve");
    assert!(stage.hides(ann, eve));
    stage.hub.check_invariants();
}

#[test]
fn an_ignore_list_with_inconsistent_numbers_is_refused() {
    let mut stage = Stage::new();
    let [ann, _, eve] = ["ann", "bob", "eve"].map(|nick| stage.comes(nick));
    stage.says(ann, "/ignore bob");
    stage.says(eve, "/ignore bob");
    let kept = serde_json::to_value(&stage.hub).expect("plain");
    for (field, value) in [("name", 9_999_u64), ("since", 9_999), ("name", 2)] {
        let mut wrong = kept.clone();
        wrong["sessions"][0]["ignoring"][0][field] = value.into();
        assert!(serde_json::from_value::<Hub>(wrong).is_err(), "{field} {value}");
    }
}

#[test]
fn private_messages_of_somebody_ignored_are_not_shown() {
    let mut stage = Stage::new();
    let [ann, bob] = ["ann", "bob"].map(|nick| stage.comes(nick));
    stage.says(ann, "/ignore bob");
    stage.says(bob, "/nick rob");
    let told = stage.says(bob, "/msg ann psst");
    assert!(told.iter().any(|effect| matches!(effect, Effect::Tell { message: Message::PrivateTo { .. }, .. })));
    assert!(!told.iter().any(|effect| matches!(effect, Effect::Tell { to, .. } if *to == ann)));
}
