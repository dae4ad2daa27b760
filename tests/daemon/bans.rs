//! Who is kept out: by the admin socket and `chathub ctl ban`.

use std::net::SocketAddr;

use nix::sys::signal::Signal;
use serde_json::json;

use crate::stage::{Client, Daemon, Setup};

fn from(low: u8) -> SocketAddr {
    SocketAddr::from(([127, 0, 7, low], 0))
}

/// All that whoever comes from there is told, if they are turned away.
#[track_caller]
fn turned_away(daemon: &Daemon, low: u8) -> Vec<String> {
    Client::connect_from(daemon, from(low), "stranger").rest()
}

#[test]
fn a_ban_disconnects_keeps_out_and_outlives_the_daemon() {
    let daemon = Daemon::start();
    let mut ann = daemon.client("ann");
    let mut eve = Client::connect_from(&daemon, from(1), "eve");
    eve.greeted();
    eve.rename("eve");
    let tested = daemon.ctl(&["ban", "add", "127.0.7.0/24", "--dry-run"]).done();
    assert_eq!(tested, "It would disconnect eve (c2).\n");
    let added = daemon.ctl(&["ban", "add", "127.0.7.0/24", "--reason", "no floods", "--for", "2h"]).done();
    assert!(
        added.starts_with("Banned 127.0.7.0/24 until 20") && added.ends_with("(b1); disconnected eve (c2).\n"),
        "{added}"
    );
    let told = eve.rest();
    let last = told.last().unwrap();
    assert!(last.starts_with("-- you are banned until 20") && last.ends_with(" UTC: no floods"), "{told:#?}");
    ann.expect("* eve left (banned: no floods)");
    let away = turned_away(&daemon, 9);
    assert_eq!(away, std::slice::from_ref(last), "nothing but why and until when");
    daemon.logged("ban added");
    daemon.logged("connection refused");
    let list = daemon.ctl(&["ban", "list", "--json"]).json();
    assert_eq!((&list["total"], &list["persistent"]), (&json!(1), &json!(true)));
    let ban = &list["bans"][0];
    assert_eq!((&ban["target"], &ban["reason"]), (&json!("127.0.7.0/24"), &json!("no floods")), "{ban:#}");
    assert!(ban["by"].as_str().unwrap().starts_with("uid "), "{ban:#}");
    assert_eq!(daemon.ctl(&["status", "--json"]).json()["counters"]["refused_banned"], 1);

    daemon.signal(Signal::SIGTERM);
    let daemon = Setup::new().in_dir(daemon.leave()).start();
    assert_eq!(turned_away(&daemon, 9), away);
    let tested = daemon.ctl(&["ban", "test", "127.0.7.200", "--json"]).json();
    assert_eq!(tested["bans"][0]["id"], "b1");
    assert_eq!(daemon.ctl(&["ban", "test", "127.0.8.1", "--json"]).json()["bans"], json!([]));
    assert_eq!(daemon.ctl(&["ban", "remove", "b1"]).done(), "Lifted the ban of 127.0.7.0/24 (b1).\n");
    Client::connect_from(&daemon, from(9), "stranger").greeted();
    assert_eq!(daemon.ctl(&["ban", "remove", "b1"]).code, Some(5));
    assert_eq!(daemon.ctl(&["ban", "list", "--json"]).json()["total"], 0);
}

#[test]
fn who_is_kicked_can_be_kept_out_as_well() {
    let daemon = Daemon::start();
    let mut eve = Client::connect_from(&daemon, from(1), "eve");
    eve.greeted();
    eve.rename("eve");
    let mut neighbour = Client::connect_from(&daemon, from(2), "neighbour");
    neighbour.greeted();
    let kicked = daemon.ctl(&["kick", "eve", "--reason", "enough", "--ban", "1h"]).done();
    assert!(kicked.starts_with("Disconnected eve (c1).\nBanned 127.0.7.1/32 until "), "{kicked}");
    assert!(eve.rest().contains(&"-- you were disconnected by an operator: enough".to_owned()));
    assert!(turned_away(&daemon, 1)[0].contains(": enough"));
    neighbour.send("/who");
    neighbour.expect_with("1 person in lobby");
}

#[test]
fn a_ban_of_half_the_internet_needs_confirmation() {
    let daemon = Daemon::start();
    let refused = daemon.ctl(&["ban", "add", "0.0.0.0/0"]);
    assert!(refused.code == Some(2) && refused.err.contains("large part of the Internet"), "{refused:?}");
    daemon.client("ann");
    for wrong in ["300.0.0.1/8", "::/200", "a name", "-"] {
        let refused = daemon.ctl(&["ban", "add", "--", wrong]);
        assert_eq!(refused.code, Some(1), "{refused:?}");
    }
    let mut bob = daemon.client("bob");
    daemon.ctl(&["ban", "add", "0.0.0.0/0", "--yes"]).done();
    assert_eq!(bob.rest().last().unwrap(), "-- you are banned until further notice");
}
