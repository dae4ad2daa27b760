use super::*;
use crate::values::id::SessionId;
use std::net::{TcpListener, TcpStream};

fn connections(count: usize) -> Vec<(TcpStream, TcpStream)> {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let addr = listener.local_addr().expect("an address");
    let connect = |_| (TcpStream::connect(addr).expect("it listens"), listener.accept().expect("somebody").0);
    (0..count).map(connect).collect()
}

fn adopted(queue: &Queue) -> HashMap<u64, Adopted> {
    let ends = queue.ends().map(|end| end.try_clone_to_owned().expect("a descriptor"));
    Queue::of(ends).found().expect("it can be looked at").by_cookie
}

/// Keeps 700 connections and closes every third one, up to `closes` of them. `is_told` says for a
/// connection whether the queue learns its owner, and if so, after how many further connections.
fn check(closes: usize, is_told: impl Fn(usize) -> Option<usize>) {
    let mut queue = Queue::new().expect("a queue");
    let (mut open, mut late, mut clients) = (HashMap::new(), VecDeque::new(), Vec::new());
    let mut closed = 0;
    for (number, (client, ours)) in connections(700).into_iter().enumerate() {
        let cookie = kernel::cookie(&ours).expect("a cookie");
        queue.keep(ours.as_fd(), cookie).expect("there is room");
        let id = SessionId(number as u64);
        let connection = Arc::new(Connection::new(id, cookie, Some(ours.into())));
        if let Some(later) = is_told(number) {
            late.push_back((number + later, Arc::downgrade(&connection)));
        }
        while late.front().is_some_and(|(when, _)| *when <= number) {
            if let Some((_, connection)) = late.pop_front()
                && let Some(connection) = connection.upgrade()
            {
                queue.known(&connection);
            }
        }
        clients.push(client);
        if number % 3 == 2 && closed < closes {
            closed += 1;
            connection.abort();
            if queue.closed(cookie) {
                // Only one step now; the others follow when further connections close.
                queue.step().expect("it goes on");
            }
            // Every second closed connection still has an owner.
            if closed % 2 == 0 {
                open.insert(u64::MAX - number as u64, connection);
            }
        } else {
            open.insert(cookie, connection);
        }
    }
    let found = adopted(&queue);
    open.retain(|cookie, connection| *cookie == connection.cookie);
    assert!(open.keys().all(|cookie| found.contains_key(cookie)));
    assert!(queue.batches.messages > 0, "some were gathered");
    queue.tidy().expect("it goes on");
    let found = adopted(&queue);
    assert_eq!(found.len(), open.len(), "what is closed is gone");
    assert!(open.keys().all(|cookie| found.contains_key(cookie)));
    assert!(queue.batches.messages <= open.len().div_ceil(MOST_DESCRIPTORS) + 1);
    assert!(queue.closed.is_empty() && queue.recent.is_empty());
}

#[test]
fn open_connections_are_found_in_the_queue_whatever_was_closed_meanwhile() {
    for closes in [0, 200] {
        check(closes, |_| None);
        check(closes, |_| Some(0));
        check(closes, |_| Some(10));
        // Out of order, as with several listeners.
        check(closes, |number| Some(number * 7 % 13));
        check(closes, |number| (number % 100 != 50).then_some(0));
    }
}

#[test]
fn gathered_sockets_fill_whole_messages_and_closed_ones_take_no_place() {
    let mut queue = Queue::new().expect("a queue");
    let mut held = Vec::new();
    for (number, (client, ours)) in connections(3 * GATHER).into_iter().enumerate() {
        let cookie = kernel::cookie(&ours).expect("a cookie");
        queue.keep(ours.as_fd(), cookie).expect("there is room");
        let connection = Arc::new(Connection::new(SessionId(number as u64), cookie, Some(ours.into())));
        if number >= 2 * GATHER {
            // Visitors, who leave before their sockets are gathered.
            connection.abort();
            queue.closed(cookie);
        }
        queue.known(&connection);
        held.push((client, connection));
    }
    assert_eq!((queue.batches.messages, queue.singles.messages), (2, 0));
    assert!(queue.closed.is_empty(), "they lie nowhere");
    assert_eq!(adopted(&queue).len(), 2 * GATHER);
}

#[test]
fn the_kernel_counts_what_was_taken_and_read() {
    use std::io::{Read as _, Write as _};
    let (mut client, mut ours) = connections(1).pop().expect("one");
    ours.set_nonblocking(true).expect("it is ours");
    let counted = || kernel::counted(&client_of(&ours)).expect("it is TCP");
    fn client_of(ours: &TcpStream) -> BorrowedFd<'_> {
        ours.as_fd()
    }
    assert_eq!((counted().taken, counted().read), (0, 0));
    client.write_all(b"hello world").expect("it takes");
    let mut part = [0; 5];
    ours.set_nonblocking(false).expect("it is ours");
    ours.read_exact(&mut part).expect("it came");
    assert_eq!(kernel::counted(&ours).expect("TCP").read, 5);
    ours.set_nonblocking(true).expect("it is ours");
    let mut taken = 0;
    while let Ok(count) = ours.write(&[7; 100_000]) {
        taken += count as u64;
        assert_eq!(kernel::counted(&ours).expect("TCP").taken, taken);
    }
    let mut some = vec![0; 300_000];
    client.read_exact(&mut some).expect("it comes");
    assert_eq!(kernel::counted(&ours).expect("TCP").taken, taken, "whatever the peer has read");
    client.shutdown(std::net::Shutdown::Write).expect("it is open");
    ours.set_nonblocking(false).expect("it is ours");
    assert_eq!(kernel::counted(&ours).expect("TCP").read, 5, "the end is no byte");
    let mut rest = Vec::new();
    ours.read_to_end(&mut rest).expect("it ends");
    assert_eq!(kernel::counted(&ours).expect("TCP").read, 11);
}

/// The kernel's count of the bytes that a connection took must not include our FIN. Otherwise a
/// client that was closed would seem to have taken more than it was sent, and would count as lost.
#[test]
fn our_fin_does_not_count_as_a_byte_that_the_client_took() {
    use std::io::{Read as _, Write as _};
    let end = |stream: &TcpStream| stream.shutdown(Shutdown::Write).expect("it is open");
    let counted = |ours: &TcpStream| {
        let kernel::Counted { dead, finished, taken, .. } = kernel::counted(ours).expect("it is TCP");
        assert!(!dead && finished);
        taken
    };
    let [(mut early, ours_early), (mut late, ours_late)] = connections(2).try_into().expect("two connections");

    // The FIN has arrived once the other side has seen the end.
    (&ours_early).write_all(b"goodbye\r\n").expect("it takes");
    end(&ours_early);
    let mut seen = Vec::new();
    early.read_to_end(&mut seen).expect("it ends");
    assert_eq!(counted(&ours_early), seen.len() as u64);

    // The FIN cannot arrive while there is no room for the bytes before it.
    ours_late.set_nonblocking(true).expect("it is ours");
    let mut taken = 0;
    while let Ok(count) = (&ours_late).write(&[7; 100_000]) {
        taken += count as u64;
    }
    end(&ours_late);
    assert!(kernel::unacknowledged(&ours_late).expect("it is TCP") > 1);
    assert_eq!(counted(&ours_late), taken);
    // The other side ends its output too, before it has seen our FIN.
    end(&late);
    assert_eq!(counted(&ours_late), taken);
    let mut seen = Vec::new();
    late.read_to_end(&mut seen).expect("it ends");
    assert_eq!(seen.len() as u64, taken);
}
