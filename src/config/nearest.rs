//! A name that is not known, and the one that may have been meant.

use crate::settings::{SETTINGS, shorten};

pub(super) fn unknown(kind: &str, name: &str, near: Option<&str>) -> String {
    let hint = near.map_or_else(String::new, |near| format!("; did you mean {near}?"));
    format!("unknown {kind} {}{hint}", shorten(name))
}

/// The setting that `key` may stand for: one of that name in another section, or one written alike.
pub(super) fn nearest_setting(key: &str) -> Option<&'static str> {
    let name = key.rsplit('.').next().unwrap_or(key);
    let namesakes = SETTINGS.iter().filter(|setting| setting.name == name).map(|setting| setting.key);
    best(key, namesakes).map(|(near, _)| near).or_else(|| nearest(key, SETTINGS.iter().map(|setting| setting.key)))
}

/// The candidate that is written much like `word`.
pub(super) fn nearest<'a>(word: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    best(word, candidates).filter(|(_, likeness)| *likeness >= 0.6).map(|(near, _)| near)
}

fn best<'a>(word: &str, candidates: impl Iterator<Item = &'a str>) -> Option<(&'a str, f64)> {
    // The comparison takes time and memory by length times length, and no name is that long.
    let short: String = word.chars().take(64).collect();
    candidates
        .map(|candidate| (candidate, strsim::normalized_damerau_levenshtein(&short, candidate)))
        .max_by(|(_, one), (_, other)| one.total_cmp(other))
}
