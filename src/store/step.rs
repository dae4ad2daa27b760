//! Places between two steps of the writer, where tests look at the disk as a crash there would leave it.

/// Says that the writer is at this place.
pub(super) fn reached(name: &str) {
    #[cfg(test)]
    tests::reached(name);
    let _ = name;
}

#[cfg(test)]
pub(super) mod tests {
    use std::cell::RefCell;

    type Hook = Box<dyn FnMut(&str)>;

    thread_local! {
        static HOOK: RefCell<Option<Hook>> = const { RefCell::new(None) };
    }

    /// Has `hook` called at each place that this thread comes to.
    pub(in super::super) fn watch(hook: Option<Hook>) {
        HOOK.set(hook);
    }

    pub(super) fn reached(name: &str) {
        HOOK.with_borrow_mut(|hook| {
            if let Some(hook) = hook {
                hook(name);
            }
        });
    }
}
