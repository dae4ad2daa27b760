//! "Did you mean ...?": finds the setting or section that was probably meant by an unknown name.

use crate::settings::{SETTINGS, shorten};

/// The message for a setting or section (`kind`) that does not exist.
pub(super) fn unknown(kind: &str, name: &str, near: Option<&str>) -> String {
    let hint = near.map_or_else(String::new, |near| format!("; did you mean {near}?"));
    format!("unknown {kind} {}{hint}", shorten(name))
}

/// The setting that `key` probably means: one of the same name in another section, or else one of
/// similar spelling.
pub(super) fn nearest_setting(key: &str) -> Option<&'static str> {
    let name = key.rsplit('.').next().unwrap_or(key);
    let namesakes = SETTINGS.iter().filter(|setting| setting.name == name).map(|setting| setting.key);
    best(key, namesakes).map(|(near, _)| near).or_else(|| nearest(key, SETTINGS.iter().map(|setting| setting.key)))
}

/// The candidate whose spelling is most like that of `word`; `None` if none is similar enough.
pub(super) fn nearest<'a>(word: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    best(word, candidates).filter(|(_, likeness)| *likeness >= 0.6).map(|(near, _)| near)
}

/// The candidate whose spelling is most like that of `word`, and how similar it is, from 0 to 1.
fn best<'a>(word: &str, candidates: impl Iterator<Item = &'a str>) -> Option<(&'a str, f64)> {
    // The comparison takes time and memory in proportion to both lengths multiplied, and no name is
    // longer than this.
    let short: String = word.chars().take(64).collect();
    candidates
        .map(|candidate| (candidate, strsim::normalized_damerau_levenshtein(&short, candidate)))
        .max_by(|(_, one), (_, other)| one.total_cmp(other))
}
