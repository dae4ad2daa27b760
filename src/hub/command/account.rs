//! Commands about registered names. The dialogues are [`super::super::login`].

use super::{Call, clip, split_word};

pub(super) fn register(call: &mut Call<'_>, args: &str) {
    call.hub.register(call.id, args, call.now, call.effects);
}

pub(super) fn login(call: &mut Call<'_>, args: &str) {
    let (name, password) = split_word(args);
    call.hub.login(call.id, &clip(name), password, call.now, call.effects);
}

pub(super) fn logout(call: &mut Call<'_>, _: &str) {
    call.hub.logout(call.id, call.now, call.effects);
}

pub(super) fn passwd(call: &mut Call<'_>, args: &str) {
    if !args.is_empty() {
        return call.usage();
    }
    call.hub.passwd(call.id, call.effects);
}

pub(super) fn unregister(call: &mut Call<'_>, args: &str) {
    if !args.is_empty() {
        return call.usage();
    }
    call.hub.unregister(call.id, call.effects);
}
