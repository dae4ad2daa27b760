//! The settings as a snapshot holds them.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use toml::de::DeValue;

use super::{SETTINGS, Setting, Settings};

/// Kept as one would write them in the file: a release that has other settings reads what it knows.
impl Serialize for Settings {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let defaults = Self::default();
        let written = SETTINGS.iter().filter(|setting| !setting.same(self, &defaults));
        serializer.collect_map(written.map(|setting| (setting.key, setting.value(self))))
    }
}

impl<'de> Deserialize<'de> for Settings {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let written = BTreeMap::<String, String>::deserialize(deserializer)?;
        let mut settings = Self::default();
        for (key, value) in &written {
            let Some(setting) = Setting::find(key) else { continue };
            let value = DeValue::parse(value).map_err(|error| de::Error::custom(format!("{key}: {error}")))?;
            setting
                .set(&mut settings, value.get_ref())
                .map_err(|error| de::Error::custom(format!("{key}: {error}")))?;
        }
        match settings.conflicts().first() {
            None => Ok(settings),
            Some(conflict) => Err(de::Error::custom(&conflict.message)),
        }
    }
}
