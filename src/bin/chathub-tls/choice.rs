//! Chooses the certificate for a client, by the name that the client asks for. It knows no sockets.

/// Whether a certificate for `pattern` is valid for `name`: both are the same, or `pattern` has `*`
/// as its first label (RFC 9525, section 6.3).
fn is_for(pattern: &str, name: &str) -> bool {
    if pattern.eq_ignore_ascii_case(name) {
        return true;
    }
    let Some(behind) = pattern.strip_prefix("*.") else { return false };
    name.split_once('.').is_some_and(|(first, rest)| !first.is_empty() && rest.eq_ignore_ascii_case(behind))
}

/// Chooses one of several certificates for a client that has asked for `name`. `certificates` are
/// the names of each. Chosen is the first one with exactly this name, or else the first one that
/// matches by `*`, or else the first of all; but only among those that the client can use, as
/// `fits` says. `None` if there is none.
pub(crate) fn choose<'a, N>(certificates: N, name: Option<&str>, fits: impl Fn(usize) -> bool) -> Option<usize>
where
    N: Iterator<Item = &'a [String]> + Clone,
{
    let name = name.map(|name| name.trim_end_matches('.'));
    let ranked = certificates.enumerate().filter(|(at, _)| fits(*at)).map(|(at, names)| {
        let exactly = |name: &str| names.iter().any(|own| own.eq_ignore_ascii_case(name));
        let rank = match name {
            Some(name) if exactly(name) => 0,
            Some(name) if names.iter().any(|own| is_for(own, name)) => 1,
            _ => 2,
        };
        (rank, at)
    });
    ranked.min().map(|(_, at)| at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_server_name_chooses_the_certificate_and_the_first_is_the_default() {
        let names: Vec<Vec<String>> = [
            &["first.example"][..],
            &["*.example.org", "example.org"],
            &["chat.example.org", "Other.Example"],
            &["chat.example.org"],
            &[],
        ]
        .iter()
        .map(|names| names.iter().map(ToString::to_string).collect())
        .collect();
        let choose = |name, fits: &dyn Fn(usize) -> bool| choose(names.iter().map(Vec::as_slice), name, fits);
        for (name, chosen) in [
            (None, 0),
            (Some("first.example"), 0),
            (Some("nobody.example"), 0),
            (Some("example.org"), 1),
            (Some("www.example.org"), 1),
            (Some("WWW.EXAMPLE.ORG."), 1),
            (Some("a.b.example.org"), 0),
            (Some(".example.org"), 0),
            (Some("chat.example.org"), 2),
            (Some("other.example"), 2),
        ] {
            assert_eq!(choose(name, &|_| true), Some(chosen), "{name:?}");
        }
        // A client that cannot use one kind of key gets the next certificate of that name, or else
        // any.
        assert_eq!(choose(Some("chat.example.org"), &|at| at != 2), Some(3));
        assert_eq!(choose(Some("chat.example.org"), &|at| at == 4), Some(4));
        assert_eq!(choose(None, &|_| false), None);
    }
}
