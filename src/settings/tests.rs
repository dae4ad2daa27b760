use toml::de::DeValue;

use super::*;

/// A value as it stands in a file.
fn toml(text: &str) -> DeValue<'_> {
    DeValue::parse(text).expect(text).into_inner()
}

#[test]
fn every_default_may_be_written() {
    for setting in SETTINGS {
        let mut settings = Settings::default();
        let default = setting.default();
        assert_eq!(setting.set(&mut settings, &toml(&default)), Ok(()), "{} = {default}", setting.key);
        assert_eq!(settings, Settings::default(), "{} = {default}", setting.key);
    }
}

#[test]
fn the_defaults_fit_together() {
    assert_eq!(Settings::default().conflicts(), []);
}

#[test]
fn every_setting_is_declared_once_and_explained() {
    for (at, setting) in SETTINGS.iter().enumerate() {
        let key = setting.key;
        assert_eq!(SETTINGS.iter().position(|other| other.key == key), Some(at), "{key} stands twice");
        assert_eq!(key, format!("{}.{}", setting.section, setting.name));
        assert!(setting.doc().ends_with('.') && !setting.doc().contains("  "), "{key}: {}", setting.doc());
        assert!(setting.doc().matches('`').count().is_multiple_of(2), "{key}: {}", setting.doc());
        assert!(!setting.allowed().is_empty() && !setting.default().is_empty(), "{key}");
        assert_eq!(Setting::find(key), Some(setting));
    }
    for section in SECTIONS {
        assert!(section.doc().ends_with('.') && section.settings().count() > 0, "{}", section.name);
    }
    assert_eq!(Setting::find("limits.nothing"), None);
}

#[test]
fn bounds_given_in_words_are_times_that_are_allowed() {
    // A bound that cannot be read would refuse everything.
    for setting in SETTINGS.iter().filter(|setting| setting.allowed().starts_with("a time")) {
        let allowed = setting.allowed();
        let words: Vec<_> = allowed.split([' ', ',']).collect();
        for bound in [words[3], words[5]] {
            let mut settings = Settings::default();
            let written = format!("'{bound}'");
            assert_eq!(setting.set(&mut settings, &toml(&written)), Ok(()), "{} = {bound}", setting.key);
        }
    }
}

#[test]
fn changes_name_what_differs_and_nothing_else() {
    let old = Settings::default();
    let mut new = old.clone();
    assert_eq!(Settings::changes(&old, &new), Vec::<&Setting>::new());
    new.limits.rooms = 1;
    new.log.level = LogLevel::Trace;
    new.listen.admin = Some("/run/x".into());
    let changes = Settings::changes(&old, &new);
    let keys: Vec<_> = changes.iter().map(|setting| setting.key).collect();
    assert_eq!(keys, ["listen.admin", "limits.rooms", "log.level"]);
    assert_eq!(changes[0].applies, Applies::Restart);
    assert_eq!((changes[1].value(&old), changes[1].value(&new)), ("1000".to_owned(), "1".to_owned()));
}

#[test]
fn a_refused_value_changes_nothing_and_says_what_is_allowed() {
    let setting = Setting::find("limits.clients").expect("a setting");
    let mut settings = Settings::default();
    let error = setting.set(&mut settings, &toml("0")).expect_err("0 clients");
    assert_eq!(error.to_string(), "0 is not allowed here; allowed: a whole number from 1 to 1000000 (clients)");
    assert_eq!(settings, Settings::default());
    assert_eq!((setting.unit(), setting.default().as_str()), ("clients", "10000"));
}

#[test]
fn words_and_their_values_are_the_same_both_ways() {
    for (level, word) in LogLevel::WORDS {
        assert_eq!((level.to_string().as_str(), LogLevel::from_word(word)), (*word, Some(*level)));
    }
    assert_eq!(SlowPolicy::from_word("Skip"), None);
}
