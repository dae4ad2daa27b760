//! Named places between two steps of the writer. Tests look there at what a crash at that place
//! would leave on disk.

/// Tells a test that this thread has come to the place `name`.
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

    /// From now on, `hook` is called at each place that this thread comes to.
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
