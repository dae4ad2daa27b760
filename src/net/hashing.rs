//! Threads that hash passwords. Hashing one takes tens of milliseconds, and the driver must not
//! wait for that. The hub bounds how many passwords wait ([`crate::hub::login`]).

use std::io;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};

use argon2::password_hash::PasswordVerifier as _;
use argon2::{Algorithm, Argon2, Params, PasswordHash, PasswordHasher as _, Version};
use tokio::sync::mpsc;
use tracing::error;
use unicode_normalization::UnicodeNormalization as _;
use zeroize::Zeroizing;

use super::arrival::Arrival;
use crate::hub::account::Hashed;
use crate::hub::login::{Against, Answer, Job};
use crate::logging::InWords;
use crate::settings::AccountSettings;

/// Bytes of salt, as RFC 9106 recommends.
const SALT: usize = 16;

/// The cost of hashing a password (argon2id, RFC 9106).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cost {
    /// KiB of memory.
    memory: u32,
    /// Passes over that memory.
    passes: u32,
}

impl From<&AccountSettings> for Cost {
    fn from(settings: &AccountSettings) -> Self {
        Self { memory: u32::try_from(settings.memory / 1024).unwrap_or(u32::MAX), passes: settings.passes }
    }
}

/// A password in the form that is hashed (OpaqueString, RFC 8265, section 4.2.2). It does not
/// depend on how the keyboard composes letters, nor on which of Unicode's spaces it sends.
fn prepared(password: &str) -> Zeroizing<String> {
    // Room for the longest normal form (UAX #15, section 12). So the text never moves to a larger
    // block, and no copy of the password stays in the block that it had before.
    let mut text = Zeroizing::new(String::with_capacity(3 * password.len()));
    text.extend(password.chars().map(|c| if c.is_whitespace() { ' ' } else { c }).nfc());
    text
}

/// Hashes a password with new salt.
///
/// # Errors
/// The system gives no random bytes, or no memory; the text says which.
pub fn hash(password: &str, cost: Cost) -> Result<Hashed, String> {
    let mut salt = [0; SALT];
    getrandom::fill(&mut salt).map_err(|error| error.to_string())?;
    let hashed = argon2id(cost)?.hash_password_with_salt(prepared(password).as_bytes(), &salt);
    Ok(Hashed(hashed.map_err(|error| error.to_string())?.to_string().into()))
}

fn argon2id(cost: Cost) -> Result<Argon2<'static>, String> {
    let params = Params::new(cost.memory, cost.passes, 1, None).map_err(|error| error.to_string())?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

/// Checks a password. `None`: it is wrong. `Some(false)`: it is right, but the hash should be
/// renewed, because it was made at another cost, or from the password as it was typed, as former
/// releases did.
fn check(password: &str, hashed: &Hashed, cost: Cost) -> Option<bool> {
    let prepared = prepared(password);
    let known = check_bytes(&prepared, hashed, cost);
    if known.is_none() && *prepared != password {
        return check_bytes(password, hashed, cost).map(|_| false);
    }
    known
}

/// Compares these very bytes with a hash. `None`: they differ. `Some`: they match; `true` if the
/// hash was made at `cost`.
fn check_bytes(password: &str, hashed: &Hashed, cost: Cost) -> Option<bool> {
    let hashed = PasswordHash::new(&hashed.0).ok()?;
    // Verifies at the cost that the hash itself names, and not at today's.
    Argon2::default().verify_password(password.as_bytes(), &hashed).ok()?;
    let params = Params::try_from(&hashed).ok();
    Some(
        params
            .is_some_and(|params| (params.m_cost(), params.t_cost(), params.p_cost()) == (cost.memory, cost.passes, 1)),
    )
}

/// Does a job. The answer for an account that does not exist takes as long as for one that does:
/// the password is then compared with the hash in `nobody`.
fn answer(job: &Job, cost: Cost, nobody: &mut Option<(Cost, Hashed)>) -> Answer {
    let made = |made: Result<Hashed, String>| match made {
        Ok(hashed) => Answer::Made(hashed),
        Err(why) => {
            error!(chathub_error = %why, "a password cannot be hashed{}", InWords(&why));
            Answer::Failed
        }
    };
    match &job.against {
        Against::Nothing => made(hash(job.password.reveal(), cost)),
        Against::Known(hashed) => match check(job.password.reveal(), hashed, cost) {
            None => Answer::Wrong,
            Some(true) => Answer::Right { renewed: None },
            Some(false) => Answer::Right { renewed: hash(job.password.reveal(), cost).ok() },
        },
        Against::Unknown => {
            if nobody.as_ref().is_none_or(|(of, _)| *of != cost) {
                *nobody = hash("nobody", cost).ok().map(|hashed| (cost, hashed));
            }
            if let Some((_, hashed)) = nobody {
                let _ = check(job.password.reveal(), hashed, cost);
            }
            Answer::Wrong
        }
    }
}

/// The threads that hash. They end when this value is dropped.
#[derive(Debug)]
pub struct Hashing(Sender<(Arc<Job>, Cost)>);

impl Hashing {
    /// Starts `threads` threads, which send the result of each job to `arrivals`.
    ///
    /// # Errors
    /// If the system has no thread for it.
    pub fn start(threads: usize, arrivals: mpsc::Sender<Arrival>) -> io::Result<Self> {
        let (jobs, waiting) = channel();
        let waiting = Arc::new(Mutex::new(waiting));
        for _ in 0..threads.max(1) {
            let (waiting, arrivals) = (waiting.clone(), arrivals.clone());
            std::thread::Builder::new().name("hashing".to_owned()).spawn(move || run(&waiting, &arrivals))?;
        }
        Ok(Self(jobs))
    }

    /// Queues a job. Its result comes to the driver as [`Arrival::Hashed`].
    pub fn hash(&self, job: Arc<Job>, cost: Cost) {
        // Sending does not fail: the threads live as long as this value.
        let _ = self.0.send((job, cost));
    }
}

fn run(waiting: &Mutex<Receiver<(Arc<Job>, Cost)>>, arrivals: &mpsc::Sender<Arrival>) {
    let mut nobody = None;
    loop {
        // One thread waits for a job; the others wait for the lock until it has one.
        let taken = waiting.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok((job, cost)) = taken else { return };
        let answer = answer(&job, cost, &mut nobody);
        if arrivals.blocking_send(Arrival::Hashed { number: job.number, answer }).is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hub::login::Secret;

    const CHEAP: Cost = Cost { memory: 64, passes: 1 };
    const DEARER: Cost = Cost { memory: 128, passes: 2 };

    fn job(password: &str, against: Against) -> Job {
        Job { number: 1, password: Secret::new(password.to_owned()), against }
    }

    #[test]
    fn only_the_right_password_matches_its_hash() {
        let Answer::Made(hashed) = answer(&job("tr0ub4dor", Against::Nothing), CHEAP, &mut None) else {
            panic!("it is hashed");
        };
        assert!(hashed.0.starts_with("$argon2id$v=19$m=64,t=1,p=1$"), "{}", hashed.0);
        let known = |password| answer(&job(password, Against::Known(hashed.clone())), CHEAP, &mut None);
        assert_eq!(known("tr0ub4dor"), Answer::Right { renewed: None });
        assert_eq!(known("Tr0ub4dor"), Answer::Wrong);
        assert_eq!(known(""), Answer::Wrong);
        let mut nobody = None;
        assert_eq!(answer(&job("nobody", Against::Unknown), CHEAP, &mut nobody), Answer::Wrong);
        assert!(nobody.is_some(), "and it took its time");
    }

    #[test]
    fn a_password_is_the_same_however_it_is_composed() {
        let (composed, decomposed) = ("gr\u{fc}n\u{a0}tea", "gru\u{308}n tea");
        for (made, given) in [(composed, decomposed), (decomposed, composed), (composed, composed)] {
            let known = Against::Known(hash(made, CHEAP).expect("it is hashed"));
            assert_eq!(
                answer(&job(given, known), CHEAP, &mut None),
                Answer::Right { renewed: None },
                "{made:?} {given:?}"
            );
        }
        // A former release hashed the password as it was typed.
        let raw = argon2id(CHEAP).expect("a cost").hash_password_with_salt(decomposed.as_bytes(), &[7; SALT]);
        let raw = Hashed(raw.expect("it is hashed").to_string().into());
        let answered = answer(&job(decomposed, Against::Known(raw.clone())), CHEAP, &mut None);
        let Answer::Right { renewed: Some(renewed) } = answered else { panic!("{answered:?}") };
        assert_eq!(answer(&job(composed, Against::Known(raw)), CHEAP, &mut None), Answer::Wrong);
        assert_eq!(answer(&job(composed, Against::Known(renewed)), CHEAP, &mut None), Answer::Right { renewed: None });
    }

    #[test]
    fn the_same_password_is_hashed_differently_each_time() {
        assert_ne!(hash("the same", CHEAP), hash("the same", CHEAP));
    }

    #[test]
    fn a_hash_of_another_cost_is_made_anew() {
        let old = hash("tr0ub4dor", CHEAP).expect("it is hashed");
        let answered = answer(&job("tr0ub4dor", Against::Known(old.clone())), DEARER, &mut None);
        let Answer::Right { renewed: Some(new) } = answered else { panic!("{answered:?}") };
        assert!(new.0.starts_with("$argon2id$v=19$m=128,t=2,p=1$"), "{}", new.0);
        assert_eq!(answer(&job("wrong", Against::Known(old)), DEARER, &mut None), Answer::Wrong);
    }

    #[test]
    fn a_text_that_is_no_hash_matches_no_password() {
        for nonsense in ["", "x", "$argon2id$", "$argon2id$v=19$m=64,t=1,p=1$$", "$1$abc$def"] {
            let against = Against::Known(Hashed(nonsense.into()));
            assert_eq!(answer(&job("", against), CHEAP, &mut None), Answer::Wrong, "{nonsense}");
        }
    }
}
