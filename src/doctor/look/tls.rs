//! Collects facts about certificates: the report of `chathub-tls` on those in use, and the files
//! that it would read if it started now.

use std::path::Path;

use super::super::checks::argv;
use super::super::facts::{Systemd, TLS, Tls, Unit};
use super::super::finding::{Seen, Unseen};
use super::{files, is_root, program};
use crate::standing::{FILE, Standing};

pub(super) fn look(systemd: Option<&Systemd>) -> Tls {
    let unit = systemd.filter(|systemd| systemd.wants_tls()).and_then(|systemd| systemd.units.get(TLS));
    let Some(unit) = unit else {
        let absent = || Unseen::absent(format!("{TLS} is not enabled"));
        return Tls { standing: Err(absent()), files: Err(absent()), unusable: Err(absent()) };
    };
    let standing = match Standing::read(Path::new(FILE)) {
        Ok(Some(standing)) => Ok(standing),
        Ok(None) => Err(Unseen::absent(format!("{FILE} is not there"))),
        Err(why) => Err(Unseen::hidden(why)),
    };
    let pairs = pairs(unit);
    let paths = pairs.iter().flatten().flat_map(|(certificate, key)| [certificate, key]);
    let files = pairs.as_ref().map(|_| paths.filter_map(|path| files::followed(Path::new(path)).ok()).collect());
    let files = files.map_err(Clone::clone);
    Tls { standing, files, unusable: pairs.and_then(|pairs| unusable(unit, &pairs)) }
}

/// The mistakes in these certificates and keys, as `chathub-tls --check` reports them.
fn unusable(unit: &Unit, pairs: &[(String, String)]) -> Seen<Vec<String>> {
    if !is_root() {
        return Err(Unseen::hidden("keys are for root"));
    }
    let line = argv(unit.text("ExecStart"));
    let path = line.split(' ').next().filter(|path| path.starts_with('/'));
    let path = path.ok_or_else(|| Unseen::hidden(format!("{TLS} does not say what is started")))?;
    let mut args = vec!["--check"];
    args.extend(pairs.iter().flat_map(|(certificate, key)| ["--certificate", certificate, "--key", key]));
    let told = program::run(path, &args)?;
    let problems: Vec<_> =
        told.complaint.lines().filter_map(|line| line.strip_prefix("chathub-tls: ")).map(str::to_owned).collect();
    // It is an older `chathub-tls`, which does not know these arguments, or another program.
    if problems.is_empty() && told.out.is_empty() {
        return Err(Unseen::hidden(format!("{path} --check does not tell of certificates")));
    }
    Ok(problems)
}

/// The certificates with their keys that the unit names: on its command line, or else as
/// credentials.
fn pairs(unit: &Unit) -> Seen<Vec<(String, String)>> {
    let line = argv(unit.text("ExecStart"));
    let named = |option: &str| -> Vec<String> {
        let words: Vec<_> = line.split(' ').collect();
        let after = words.windows(2).filter(|pair| pair[0] == option).map(|pair| pair[1]);
        let within = words.iter().filter_map(|word| word.strip_prefix(option)?.strip_prefix('='));
        after.chain(within).map(str::to_owned).collect()
    };
    let (certificates, keys) = (named("--certificate"), named("--key"));
    let pairs: Vec<_> = if certificates.is_empty() {
        let numbers = (1..).map(|number| if number == 1 { String::new() } else { number.to_string() });
        let pair = |number: String| Some((credential(unit, "cert", &number)?, credential(unit, "key", &number)?));
        numbers.map_while(pair).collect()
    } else {
        certificates.into_iter().zip(keys).collect()
    };
    // The path may have a specifier of systemd in it, or be the id of a credential.
    let is_path = |path: &String| path.starts_with('/') && !path.contains('%');
    if pairs.is_empty() || !pairs.iter().all(|(certificate, key)| is_path(certificate) && is_path(key)) {
        return Err(Unseen::hidden(format!("{TLS} does not name the files of its certificates")));
    }
    Ok(pairs)
}

/// The file of a credential, as the unit's files name it.
fn credential(unit: &Unit, name: &str, number: &str) -> Option<String> {
    let lines =
        unit.files.iter().flat_map(|file| &file.lines).filter(|(_, directive, _)| directive == "LoadCredential");
    let mut path = None;
    for (_, _, value) in lines {
        match value.split_once(':') {
            Some((id, file)) if id.strip_prefix(name) == Some(number) => path = Some(file.to_owned()),
            Some(_) => {}
            // An empty value takes back all those before it.
            None if value.is_empty() => path = None,
            None => {}
        }
    }
    path
}

#[cfg(test)]
mod tests {
    use super::super::super::facts::UnitFile;
    use super::*;

    fn unit(start: &str, credentials: &[&str]) -> Unit {
        let lines = credentials.iter().map(|value| (1, "LoadCredential".to_owned(), (*value).to_owned()));
        let mut unit =
            Unit { files: vec![UnitFile { lines: lines.collect(), ..UnitFile::default() }], ..Unit::default() };
        unit.properties.insert("ExecStart".into(), format!("{{ path=/x ; argv[]={start} ; ignore_errors=no }}"));
        unit
    }

    fn of(pairs: &[(&str, &str)]) -> Seen<Vec<(String, String)>> {
        Ok(pairs.iter().map(|(certificate, key)| ((*certificate).to_owned(), (*key).to_owned())).collect())
    }

    #[test]
    fn certificates_come_from_the_command_line_or_else_from_the_last_credentials() {
        let shipped = ["cert:/etc/a.pem", "key:/etc/a.key"];
        assert_eq!(pairs(&unit("/usr/bin/chathub-tls", &shipped)), of(&[("/etc/a.pem", "/etc/a.key")]));
        let more = [&shipped[..], &["cert:/le/b.pem", "key:/le/b.key", "cert2:/le/c.pem", "key2:/le/c.key"]].concat();
        let both = of(&[("/le/b.pem", "/le/b.key"), ("/le/c.pem", "/le/c.key")]);
        assert_eq!(pairs(&unit("/usr/bin/chathub-tls", &more)), both);
        let taken_back = [&shipped[..], &["", "cert:/le/b.pem", "key:/le/b.key"]].concat();
        assert_eq!(pairs(&unit("/usr/bin/chathub-tls", &taken_back)), of(&[("/le/b.pem", "/le/b.key")]));
        let line = "/usr/bin/chathub-tls --certificate /x.pem --key=/x.key";
        assert_eq!(pairs(&unit(line, &shipped)), of(&[("/x.pem", "/x.key")]));
        for odd in [&["cert:%d/a", "key:/etc/a.key"][..], &["cert:tls-cert", "key:tls-key"], &[]] {
            assert!(matches!(pairs(&unit("/usr/bin/chathub-tls", odd)), Err(Unseen::Hidden(_))), "{odd:?}");
        }
    }
}
