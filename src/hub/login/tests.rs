use super::super::leavers::Leavers;
use super::*;
use crate::hub::By;
use crate::hub::Effect;
use crate::hub::account::Role;
use crate::hub::message::Asked;
use crate::hub::message::Done;
use crate::hub::message::Farewell;
use crate::hub::message::Message;
use crate::hub::{Input, News};
use crate::settings::Settings;
use crate::values::terminal::Terminal;
use crate::values::time::Now;

const NOW: Now = Now { mono: Mono(1_000_000), wall: crate::values::time::Wall(0) };
const BY: By = By::Admin { uid: 0, pid: 1 };

fn hashed(password: &str) -> Hashed {
    Hashed(format!("not {password}").into())
}

/// A hub with accounts, and two clients at addresses of their own.
struct Stage {
    hub: Hub,
    now: Now,
    jobs: Vec<Arc<Job>>,
    told: Vec<(SessionId, Message)>,
    /// Whether typed text is shown, as each client's program was told.
    shown: Vec<(SessionId, bool)>,
    /// The highest number given out.
    last: u64,
}

const ANN: SessionId = SessionId(1);
const BOB: SessionId = SessionId(2);

impl Stage {
    fn new(change: impl FnOnce(&mut Settings)) -> Self {
        let mut settings = Settings::default();
        change(&mut settings);
        let hub = Hub::new(settings, [7; 16], NOW, &mut Vec::new());
        let mut stage = Self { hub, now: NOW, jobs: Vec::new(), told: Vec::new(), shown: Vec::new(), last: BOB.0 };
        stage.input(News::Archive(Some(Box::default())));
        for name in ["ann", "bob"] {
            let name = Name::parse(name, 24).expect("a name");
            let password = hashed(name.shown());
            let made = stage.hub.turn(NOW, &mut Vec::new()).add_account(name, Some(password), Role::Member, BY);
            made.expect("an account");
        }
        for session in [ANN, BOB] {
            stage.comes(session, [192, 0, 2, u8::try_from(session.0).expect("few")]);
        }
        stage
    }

    fn comes(&mut self, session: SessionId, address: [u8; 4]) {
        self.input(Input::Connect { session, peer: (address, 4000).into(), encrypted: false, certificate: None });
    }

    fn input(&mut self, input: impl Into<Input>) {
        let mut effects = Vec::new();
        self.hub.handle(input, self.now, &mut effects);
        for effect in effects {
            match effect {
                Effect::Hash(job) => self.jobs.push(job),
                Effect::Tell { to, message } => self.told.push((to, message)),
                Effect::Echo { session, on } => self.shown.push((session, on)),
                _ => {}
            }
        }
    }

    fn types(&mut self, session: SessionId, line: &str) {
        self.input(Input::Line { session, text: line.to_owned() });
    }

    /// Hashes all passwords that wait.
    fn hash(&mut self) {
        for job in std::mem::take(&mut self.jobs) {
            let right = job.against == Against::Known(hashed(job.password.reveal()));
            let answer = if right { Answer::Right { renewed: None } } else { Answer::Wrong };
            self.input(News::Hashed { number: job.number, answer });
        }
    }

    /// The last message to the client.
    #[track_caller]
    fn told(&self, session: SessionId) -> &Message {
        &self.told.iter().rev().find(|(to, _)| *to == session).expect("something").1
    }

    #[track_caller]
    fn check_told(&self, session: SessionId, done: Done) {
        assert_eq!(*self.told(session), Message::Done(done));
    }
}

fn asks(name: &str) -> Done {
    Done::Asks(Asked::Of(name.into()))
}

#[test]
fn a_password_that_cannot_be_hashed_now_is_asked_for_again() {
    let mut stage = Stage::new(|settings| settings.accounts.waiting = 1);
    stage.types(ANN, "/login ann ann");
    for line in ["/login bob bob", "bob"] {
        stage.told.clear();
        stage.types(BOB, line);
        assert_eq!(stage.told[0].1, Message::Refused(Refusal::HashingBusy));
        stage.check_told(BOB, asks("bob"));
    }
    stage.hash();
    assert!(stage.hub.session(ANN).is_some_and(|ann| ann.account.is_some()));
    stage.types(BOB, "bob");
    stage.hash();
    assert!(stage.hub.session(BOB).is_some_and(|bob| bob.account.is_some()));
}

#[test]
fn what_follows_a_password_that_could_not_be_hashed_is_not_said() {
    let mut stage = Stage::new(|_| {});
    stage.types(ANN, "/login");
    stage.types(ANN, "/login ann");
    stage.types(ANN, "ann");
    let job = stage.jobs.pop().expect("a password to hash");
    stage.input(News::Hashed { number: job.number, answer: Answer::Failed });
    stage.check_told(ANN, Done::AsksNoMore(Some("/login ann".into())));
    stage.types(ANN, "ann");
    assert_eq!(*stage.told(ANN), Message::Refused(Refusal::CouldBePassword));
}

/// A new client connects from `address` and sends `line`. Returns the refusal, or the message that
/// it is logged in.
fn tries(stage: &mut Stage, address: [u8; 4], line: &str) -> Message {
    let session = SessionId(stage.hub.newest_session().map_or(0, |last| last.0).max(stage.last) + 1);
    stage.last = session.0;
    stage.comes(session, address);
    stage.types(session, line);
    stage.hash();
    let told = stage.told.iter().filter(|(to, _)| *to == session);
    let answer = told
        .map(|(_, message)| message.clone())
        .find(|message| matches!(message, Message::Refused(_) | Message::Done(Done::LoggedIn { .. })));
    stage.input(News::Gone { session, why: Farewell::Hangup });
    answer.expect("an answer")
}

fn is_too_often(told: &Message) -> bool {
    matches!(told, Message::Refused(Refusal::TooManyAttempts(_)))
}

fn is_in(told: &Message) -> bool {
    matches!(told, Message::Done(Done::LoggedIn { .. }))
}

const HOME: [u8; 4] = [192, 0, 2, 77];
const ELSEWHERE: [u8; 4] = [203, 0, 113, 5];

/// Ann has logged in from home, and strangers have tried her account until it is locked for them.
fn locked() -> Stage {
    let mut stage = Stage::new(|settings| {
        settings.accounts.attempts = 2;
        settings.accounts.attempt_every = Duration::from_secs(10);
    });
    assert!(is_in(&tries(&mut stage, HOME, "/login ann ann")));
    let wrong: Vec<_> = (1..=12).map(|last| tries(&mut stage, [198, 51, 100, last], "/login ann guess")).collect();
    let refused = wrong.iter().filter(|told| is_too_often(told)).count();
    assert_eq!(refused, 2, "ten are too many: {wrong:?}");
    stage
}

#[test]
fn strangers_do_not_lock_an_owner_out_at_home() {
    let mut stage = locked();
    // Leavers keep an address for some minutes, so that operators can still name clients that have
    // just left.
    stage.hub.moderation.leavers = Leavers::default();
    let kept = serde_json::to_string(&stage.hub).expect("plain");
    assert!(!kept.contains("192.0.2.77"), "who is not here has no address here: {kept}");
    stage.hub = serde_json::from_str(&kept).expect("the same");
    assert!(is_too_often(&tries(&mut stage, ELSEWHERE, "/login ann ann")));
    for _ in 0..5 {
        assert!(is_in(&tries(&mut stage, HOME, "/login ann ann")), "as often as she likes");
    }
    // A stranger who guesses from her home is slowed down as anywhere.
    for _ in 0..2 {
        assert!(!is_too_often(&tries(&mut stage, HOME, "/login ann guess")));
    }
    assert!(is_too_often(&tries(&mut stage, HOME, "/login ann ann")));
    // The place is home to her account alone.
    stage.now.mono = stage.now.mono.after(Duration::from_secs(100));
    for last in 1..=10 {
        tries(&mut stage, [198, 51, 100, last], "/login bob guess");
    }
    assert!(is_too_often(&tries(&mut stage, HOME, "/login bob bob")));
}

#[test]
fn strangers_lock_nobody_out_of_a_network_that_is_never_shut_out() {
    let mut stage = locked();
    let mut settings = stage.hub.settings().clone();
    settings.access.always = vec!["203.0.113.0/24".parse().expect("a network")];
    stage.input(News::Settings(Box::new(settings)));
    assert!(is_in(&tries(&mut stage, ELSEWHERE, "/login ann ann")));
}

#[test]
fn a_try_that_is_refused_costs_nothing() {
    let mut stage = locked();
    for _ in 0..5 {
        assert!(is_too_often(&tries(&mut stage, ELSEWHERE, "/login ann ann")));
    }
    // The refused tries counted neither against their address nor against strangers.
    for _ in 0..2 {
        assert!(!is_too_often(&tries(&mut stage, ELSEWHERE, "/login bob guess")));
    }
    assert!(is_too_often(&tries(&mut stage, ELSEWHERE, "/login bob guess")));
    stage.now.mono = stage.now.mono.after(Duration::from_secs(10));
    assert!(is_in(&tries(&mut stage, ELSEWHERE, "/login ann ann")));
}

#[test]
fn an_administrator_lets_strangers_try_again() {
    let mut stage = locked();
    let account = stage.hub.accounts().find("ann").expect("an account");
    let now = stage.now;
    stage.hub.turn(now, &mut Vec::new()).change_account(account, Some(hashed("new")), None, Some(BY));
    assert!(is_in(&tries(&mut stage, ELSEWHERE, "/login ann new")));
    let mut stage = locked();
    assert!(stage.hub.unlock_account(account));
    assert!(is_in(&tries(&mut stage, ELSEWHERE, "/login ann ann")));
}

#[test]
fn the_last_places_of_an_account_are_remembered() {
    let mut stage = locked();
    let account = stage.hub.accounts().find("ann").expect("an account");
    stage.hub.unlock_account(account);
    for last in 1..=20 {
        assert!(is_in(&tries(&mut stage, [192, 0, 2, 100 + last], "/login ann ann")));
    }
    let places = &stage.hub.accounts().get(account).expect("it is there").places;
    assert_eq!(places.len(), super::super::account::PLACES);
    for last in 1..=12 {
        tries(&mut stage, [198, 51, 101, last], "/login ann guess");
    }
    assert!(is_too_often(&tries(&mut stage, HOME, "/login ann ann")), "it was long ago");
    assert!(is_in(&tries(&mut stage, [192, 0, 2, 120], "/login ann ann")));
}

#[test]
fn every_wrong_try_counts_also_of_the_present_password() {
    let mut stage = locked();
    stage.now.mono = stage.now.mono.after(Duration::from_secs(1000));
    stage.types(ANN, "/login ann ann");
    stage.hash();
    for tried in 0..2 {
        stage.types(ANN, "/passwd");
        stage.types(ANN, "guess");
        stage.hash();
        stage.types(ANN, "");
        stage.check_told(ANN, Done::Cancelled);
        assert_eq!(stage.hub.counters().logins_failed, 11 + tried);
    }
    stage.told.clear();
    stage.types(ANN, "/unregister");
    stage.types(ANN, "ann");
    assert!(stage.told.iter().any(|(_, told)| is_too_often(told)), "{:?}", stage.told);
    assert!(stage.jobs.is_empty());
}

#[test]
fn a_program_that_is_recognised_during_the_question_hides_the_password_from_then_on() {
    let terminal = |answers| Input::Terminal { session: ANN, terminal: Terminal { answers, ..Terminal::default() } };
    let mut stage = Stage::new(|_| {});
    stage.told.clear();
    stage.types(ANN, "/login ann");
    assert_eq!(stage.shown, [(ANN, false)]);
    assert_eq!(stage.told[0].1, Message::Done(Done::TypingShows));
    stage.told.clear();
    for (answers, asked) in [(false, 1), (true, 2), (true, 2)] {
        stage.input(terminal(answers));
        assert_eq!(stage.shown, [(ANN, false); 2][..asked]);
    }
    assert_eq!(stage.told, [], "now it does not show");
    // Typed text stays hidden while it is hashed. Afterwards there is nothing to hide any more.
    stage.types(ANN, "ann");
    stage.input(terminal(false));
    stage.input(terminal(true));
    assert_eq!(stage.shown, [(ANN, false); 3]);
    stage.hash();
    assert_eq!(stage.shown.last(), Some(&(ANN, true)));
    stage.input(terminal(false));
    stage.input(terminal(true));
    assert_eq!(stage.shown.len(), 4);
}
