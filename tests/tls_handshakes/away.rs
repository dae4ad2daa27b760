//! A hub that is not there, that comes back, or that does not keep up.

use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use crate::client::{Client, Manner};
use crate::hub::Played;
use crate::program::{PATIENCE, Setup};

#[test]
fn whoever_comes_while_the_hub_is_away_waits_and_is_told_in_the_end() {
    let program = Setup::new().args(&["--hub-time", "1s"]).pair("own", &["chat.example.org"]).start();
    // There is nothing at its path, then one that is dead: the end is told under encryption, and as the end.
    for is_dead in [false, true] {
        if is_dead {
            drop(Played::at(&program.path("handover.sock")));
        }
        let mut ann = Client::new(program.connect(), &Manner::default());
        ann.shake("hi\r\n").unwrap();
        assert_eq!(ann.hear_to_end().unwrap(), "-- the hub cannot be reached: please try again later\r\n");
    }
    program.status("2 not taken by the hub");
    program.logged("the hub takes no connections at");
    std::fs::remove_file(program.path("handover.sock")).unwrap();
    let hub = Played::at(&program.path("handover.sock"));
    let mut ann = Client::new(program.connect(), &Manner::default());
    ann.shake("hi\r\n").unwrap();
    assert_eq!(hub.take().hear(), "hi\r\n");
    program.logged("the hub takes connections again");
}

#[test]
fn a_hub_that_comes_back_in_time_gets_those_who_waited_whichever_socket_it_has() {
    let program = Setup::new().args(&["--hub-time", "60s"]).pair("own", &["chat.example.org"]).start();
    let path = program.path("handover.sock");
    for round in 0..3 {
        let mut clients: Vec<_> = (0..5).map(|_| Client::new(program.connect(), &Manner::default())).collect();
        clients.iter_mut().for_each(|client| client.shake("hi\r\n").unwrap());
        if round == 0 {
            program.logged("the hub takes no connections at");
        }
        let hub = Played::at(&path);
        for _ in 0..5 {
            let mut taken = hub.take();
            assert_eq!(taken.hear(), "hi\r\n");
            taken.say("welcome\r\n");
        }
        clients.iter_mut().for_each(|client| client.hear("welcome\r\n"));
        std::fs::remove_file(&path).unwrap();
    }
    program.status("15 handed over");
}

/// As many as the kernel queues for a socket, and some more: none is lost, and no more are accepted meanwhile.
#[test]
fn while_the_queue_is_full_some_wait_and_others_are_not_accepted() {
    let program = Setup::new()
        .args(&["--hub-time", "120s", "--waiting", "5", "--handshake-time", "120s", "--per-address", "200"])
        .pair("own", &["chat.example.org"])
        .start();
    let hub = Played::at(&program.path("handover.sock"));
    let (done, dones) = channel();
    let mut clients = Vec::new();
    // Each is alone in its handshake, until it stands still.
    let mut through = 0;
    while !program.notified.text().contains("pauses") {
        assert!(clients.len() < 5000, "{through} are through");
        let (stream, done) = (program.connect(), done.clone());
        clients.push(std::thread::spawn(move || {
            let mut client = Client::new(stream, &Manner::default());
            client.shake("hi\r\n").unwrap();
            done.send(()).unwrap();
            client.hear("welcome\r\n");
        }));
        match dones.recv_timeout(Duration::from_millis(100)) {
            Ok(()) => through += 1,
            Err(RecvTimeoutError::Timeout) => {}
            Err(error) => panic!("{error}"),
        }
    }
    assert!(through < clients.len(), "all {through} are through");
    program.logged("the hub takes no connections at");
    let mut taken = Vec::new();
    for _ in 0..clients.len() {
        let mut one = hub.take();
        assert_eq!(one.hear(), "hi\r\n");
        one.say("welcome\r\n");
        taken.push(one);
    }
    let count = clients.len();
    clients.into_iter().for_each(|client| client.join().unwrap());
    program.status(&format!("{count} handed over"));
    hub.0.set_nonblocking(true).unwrap();
    assert!(hub.0.recv(&mut [0; 512]).is_err(), "nobody is handed over twice");
    hub.0.set_nonblocking(false).unwrap();
    hub.0.set_read_timeout(Some(PATIENCE)).unwrap();
}
