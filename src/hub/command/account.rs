//! Commands about registered names. The dialogues are [`super::super::login`].

use super::{Call, clip, split_word};

pub(super) fn register(call: &mut Call<'_, '_>, args: &str) {
    call.turn.register(call.id, args);
}

pub(super) fn login(call: &mut Call<'_, '_>, args: &str) {
    let (name, password) = split_word(args);
    call.turn.login(call.id, &clip(name), password);
}

pub(super) fn logout(call: &mut Call<'_, '_>, _: &str) {
    call.turn.logout(call.id);
}

pub(super) fn passwd(call: &mut Call<'_, '_>, args: &str) {
    if !args.is_empty() {
        return call.usage();
    }
    call.turn.passwd(call.id);
}

pub(super) fn unregister(call: &mut Call<'_, '_>, args: &str) {
    if !args.is_empty() {
        return call.usage();
    }
    call.turn.unregister(call.id);
}

pub(super) fn certificate(call: &mut Call<'_, '_>, args: &str) {
    match split_word(args) {
        ("" | "list", "") => call.turn.list_certificates(call.id),
        ("add", "") => call.turn.add_certificate(call.id),
        ("remove", which) if !which.is_empty() => call.turn.remove_certificate(call.id, which, clip(which)),
        _ => call.usage(),
    }
}
