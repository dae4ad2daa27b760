//! One connection, from accept(2) until the hub has it, or it is closed.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use chathub::kernel;
use chathub::values::plain::Plain;
use chathub::wire::tls::handover::Handover;
use chathub::wire::tls::suite::Suite;
use rustls::{AlertDescription, ServerConnection};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tracing::{debug, error, warn};

use super::counts::{Counts, Event};
use super::engine::Engine;
use super::handshake::{Broken, Handshake};
use super::hub::Hub;
use super::places::Place;
use super::secrets::{are_unused, wipe_stack};
use super::words;

/// The terms that hold for every connection.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Terms {
    /// How long a handshake may take.
    pub(crate) handshake_time: Duration,
    /// How many bytes a client may send in its handshake.
    pub(crate) handshake_bytes: u64,
    /// How long a connection waits for the hub.
    pub(crate) hub_time: Duration,
    /// The port without encryption; 0 if there is none.
    pub(crate) plain_port: u16,
}

/// What all connections share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) terms: Terms,
    pub(crate) hub: Hub,
    pub(crate) counts: Arc<Counts>,
    /// Whether the journal has been told of a header of the PROXY protocol.
    pub(crate) is_header_told: AtomicBool,
}

/// Serves one connection to its end.
pub(crate) async fn serve(stream: TcpStream, peer: SocketAddr, place: Place, engine: Arc<Engine>, shared: Arc<Shared>) {
    let done = tokio::select! {
        done = handshake(stream, peer, &engine, &shared) => done,
        // The event was counted when the place was given away.
        () = place.lost() => None,
    };
    // A connection whose handshake is done no longer gives way to new ones.
    drop(place);
    if let Some(done) = done {
        give_to_hub(done, peer, &shared).await;
        wipe_stack();
    }
}

/// Does a handshake. If it fails, tells the client why, as far as the client can understand that.
async fn handshake(stream: TcpStream, peer: SocketAddr, engine: &Engine, shared: &Shared) -> Option<Handshake> {
    let (counts, terms) = (&shared.counts, &shared.terms);
    let mut one = match Handshake::new(stream, engine, terms.handshake_bytes) {
        Ok(one) => one,
        Err(error) => {
            error!("a handshake cannot be begun: {}", Plain(&error));
            counts.note(Event::Failed);
            return None;
        }
    };
    let broken = match timeout(terms.handshake_time, one.run()).await {
        Ok(Ok(())) => return Some(one),
        Ok(Err(broken)) => broken,
        Err(_) => {
            debug!("{peer}: the handshake took too long, after {} bytes", one.read);
            counts.note(Event::TimedOut);
            // A client that has sent nothing probably waits to be greeted. It does not speak TLS,
            // in which the client speaks first.
            if one.read == 0 && words::say(&mut one.stream, &words::encrypted_here(terms.plain_port)).await.is_ok() {
                words::close(&mut one.stream).await;
            }
            return None;
        }
    };
    match broken {
        Broken::Plain => {
            debug!("{peer}: this is no TLS");
            counts.note(Event::Plain);
            let words = words::encrypted_here(terms.plain_port);
            let _ = timeout(terms.handshake_time, words::say(&mut one.stream, &words)).await;
            words::close(&mut one.stream).await;
        }
        Broken::Proxied => {
            counts.note(Event::Plain);
            // The proxy passes the words on to a client that expects TLS. So it is for the journal to tell
            // who has set up the proxy. Strangers can have the line written, so it is written once.
            if !shared.is_header_told.swap(true, Ordering::Relaxed) {
                let ip = peer.ip().to_canonical();
                warn!(
                    "a connection from {ip} begins with a header of the PROXY protocol, which this port does not take: \
                     a proxy that ends TLS itself sends it to chathub-proxy.socket; see BEHIND A PROXY in chathub-tls(8) \
                     (said once)"
                );
            }
            let _ = timeout(terms.handshake_time, words::say(&mut one.stream, words::NO_HEADER)).await;
            words::close(&mut one.stream).await;
        }
        Broken::Refused(error) => {
            debug!("{peer}: the handshake failed: {}", Plain(&error));
            counts.note(Event::Failed);
            end(&mut one, AlertDescription::DecodeError, terms).await;
        }
        Broken::LongRecord(len) => {
            debug!("{peer}: the handshake failed: a record of {len} bytes");
            counts.note(Event::Failed);
            end(&mut one, AlertDescription::RecordOverflow, terms).await;
        }
        Broken::Gone(error) => {
            debug!("{peer}: the connection ended during the handshake: {}", Plain(&error));
            counts.note(Event::Failed);
        }
        Broken::TooMuch => {
            debug!("{peer}: too much was sent in the handshake");
            counts.note(Event::TooMuch);
            end(&mut one, AlertDescription::DecodeError, terms).await;
        }
    }
    None
}

/// Closes a connection after an alert: without it, and with bytes that nobody has read, the client
/// would see nothing but a reset.
async fn end(one: &mut Handshake, why: AlertDescription, terms: &Terms) {
    let _ = timeout(terms.handshake_time, one.refuse(why)).await;
    words::close(&mut one.stream).await;
}

/// Hands a connection over. If the hub does not take it in time, tells the client so.
async fn give_to_hub(mut done: Handshake, peer: SocketAddr, shared: &Shared) {
    let (hub, counts, time) = (&shared.hub, &shared.counts, shared.terms.hub_time);
    let waits = hub.wait();
    let deadline = tokio::time::Instant::now() + time;
    let Ok(turn) = tokio::time::timeout_at(deadline, hub.turn()).await else {
        debug!("{peer}: the hub did not take the connection in time");
        drop(waits);
        counts.note(Event::HubAway);
        if let Ok(Ok(())) = timeout(time, words::say_away(&mut done)).await {
            words::close(&mut done.stream).await;
        }
        return;
    };
    // After this the TLS library can send nothing more.
    let Some((handover, stream)) = parted(done) else {
        error!("{peer}: the secrets of a connection are not those that the library has: it is closed");
        counts.note(Event::Failed);
        return;
    };
    match tokio::time::timeout_at(deadline, turn.hand_over(&handover, &stream)).await {
        Ok(Ok(())) => {
            debug!("{peer}: handed over, {}", handover.suite.name());
            counts.note(Event::HandedOver);
        }
        Ok(Err(error)) => {
            error!("a connection cannot be handed over: {}", Plain(&error));
            counts.note(Event::HubAway);
        }
        Err(_) => counts.note(Event::HubAway),
    }
}

/// Takes the connection out of the TLS library. `None` if the library would go on with other
/// secrets than those that were kept, or has used these already.
fn parted(done: Handshake) -> Option<(Handover, TcpStream)> {
    let fingerprint = done.fingerprint();
    let Handshake { stream, tls, kept, read, written, .. } = done;
    let (client, server) = kept.take()?;
    let rustls = tls.negotiated_cipher_suite()?;
    let suite = Suite::of(rustls.suite().into())?;
    let group = tls.negotiated_key_exchange_group()?.name().into();
    if tls.wants_write() || !are_unused(&extracted(tls)?, rustls.tls13()?, &client, &server) {
        return None;
    }
    let cookie = kernel::cookie(&stream).ok()?;
    Some((Handover { suite, group, cookie, read, written, client, server, fingerprint }, stream))
}

fn extracted(tls: ServerConnection) -> Option<rustls::ExtractedSecrets> {
    tls.dangerous_extract_secrets().ok()
}
