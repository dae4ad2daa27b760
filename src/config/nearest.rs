//! "Did you mean ...?": for a name of a setting or section that does not exist, the one that may be meant.

use crate::settings::{SETTINGS, shorten};

/// The message for a `kind` (setting or section) that does not exist.
pub(super) fn unknown(kind: &str, name: &str, near: Option<&str>) -> String {
    let hint = near.map_or_else(String::new, |near| format!("; did you mean {near}?"));
    format!("unknown {kind} {}{hint}", shorten(name))
}

/// The setting that `key` may mean: one of the same name in another section, else one that is spelled much alike.
pub(super) fn nearest_setting(key: &str) -> Option<&'static str> {
    let name = key.rsplit('.').next().unwrap_or(key);
    let namesakes = SETTINGS.iter().filter(|setting| setting.name == name).map(|setting| setting.key);
    best(key, namesakes).map(|(near, _)| near).or_else(|| nearest(key, SETTINGS.iter().map(|setting| setting.key)))
}

/// The candidate that is spelled most like `word`, if it is alike enough to be meant.
pub(super) fn nearest<'a>(word: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    best(word, candidates).filter(|(_, likeness)| *likeness >= 0.6).map(|(near, _)| near)
}

/// The candidate that is spelled most like `word`, and how much so, from 0 to 1.
fn best<'a>(word: &str, candidates: impl Iterator<Item = &'a str>) -> Option<(&'a str, f64)> {
    // The comparison takes time and memory by length times length, and no name is that long.
    let short: String = word.chars().take(64).collect();
    candidates
        .map(|candidate| (candidate, strsim::normalized_damerau_levenshtein(&short, candidate)))
        .max_by(|(_, one), (_, other)| one.total_cmp(other))
}
