//! Values that must not be shown: what they are called, and texts without them.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;

/// What stands in the place of a hidden value.
pub const MASK: &str = "***";

/// Letters that a value has at least; shorter ones are parts of ordinary words.
const SHORTEST: usize = 4;

/// Whether a name says that its value is a credential.
#[must_use]
pub fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase().replace('-', "_");
    [
        "secret",
        "password",
        "passwd",
        "passphrase",
        "pwd",
        "token",
        "credential",
        "access_key",
        "account_key",
        "api_key",
        "apikey",
        "connection_string",
        "sas",
        "private",
    ]
    .iter()
    .any(|word| name.contains(word))
}

/// Values that are not to be shown.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Secrets {
    values: BTreeSet<String>,
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secrets({})", self.values.len())
    }
}

impl Secrets {
    /// None.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            values: BTreeSet::new(),
        }
    }

    /// Adds a value, each line of it, and the forms that it takes inside of quotes.
    pub fn add(&mut self, value: &str) {
        for line in value.lines() {
            let line = line.trim();
            if line.chars().count() < SHORTEST {
                continue;
            }
            let quoted = [line.replace('\'', "''"), line.replace('"', "\"\"")];
            let escaped = [
                line.replace('\\', "\\\\").replace('"', "\\\""),
                line.replace('\\', "\\\\").replace('\'', "\\'"),
            ];
            self.values
                .extend([line.to_uppercase(), line.to_lowercase()]);
            self.values.insert(line.to_owned());
            self.values.extend(quoted);
            self.values.extend(escaped);
        }
    }

    /// Adds what stands behind names of credentials in a text that could not be read as a document, line by line.
    pub fn scan(&mut self, text: &str) {
        let is_word = |letter: char| letter.is_alphanumeric() || letter == '_' || letter == '-';
        for line in text.lines() {
            for (at, mark) in line.match_indices([':', '=']) {
                let before = line[..at].trim_end_matches(['"', '\'', ' ']);
                let name = before.rsplit(|letter| !is_word(letter)).next();
                if name.is_some_and(is_secret) {
                    let value = line[at + mark.len()..].trim_start();
                    let quote = value.chars().next().filter(|first| "\"'".contains(*first));
                    let value = match quote {
                        Some(quote) => value[1..].split(quote).next(),
                        None => value.split([',', '}', ']', '#']).next(),
                    };
                    self.add(value.unwrap_or_default());
                }
            }
        }
    }

    /// Adds the values of others.
    pub fn extend(&mut self, others: &Self) {
        self.values.extend(others.values.iter().cloned());
    }

    /// The text without these values, and without the credentials of URLs in it.
    #[must_use]
    pub fn hide<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let mut shown = Cow::Borrowed(text);
        // A value may be part of a longer one.
        let mut values: Vec<&String> = self.values.iter().collect();
        values.sort_by_key(|value| std::cmp::Reverse(value.len()));
        for value in values {
            if shown.contains(value.as_str()) {
                shown = Cow::Owned(shown.replace(value.as_str(), MASK));
            }
        }
        match without_credentials(&shown) {
            Some(hidden) => Cow::Owned(hidden),
            None => shown,
        }
    }
}

/// The text with the passwords of its URLs hidden (`s3://user:***@host`, `?token=***`); none when there are none.
fn without_credentials(text: &str) -> Option<String> {
    let mut out = String::new();
    let mut rest = text;
    let mut found = false;
    while let Some(at) = rest.find("://") {
        let (before, url) = rest.split_at(at + 3);
        out.push_str(before);
        let ends = |letter: char| letter.is_whitespace() || "\"'`<>{}|\\".contains(letter);
        let (url, behind) = url.split_at(url.find(ends).unwrap_or(url.len()));
        let (authority, path) = url.split_at(url.find(['/', '?', '#']).unwrap_or(url.len()));
        let parts = authority.rsplit_once('@').and_then(|(user, host)| {
            let (name, _) = user.split_once(':')?;
            Some((name, host))
        });
        match parts {
            Some((name, host)) => {
                found = true;
                out.extend([name, ":", MASK, "@", host]);
            }
            None => out.push_str(authority),
        }
        found |= parameters(&mut out, path);
        rest = behind;
    }
    out.push_str(rest);
    found.then_some(out)
}

/// Writes what follows the authority of a URL, and hides the parameters of its query that are credentials.
fn parameters(out: &mut String, path: &str) -> bool {
    let Some((path, query)) = path.split_once('?') else {
        out.push_str(path);
        return false;
    };
    out.push_str(path);
    let mut found = false;
    for (index, parameter) in query.split('&').enumerate() {
        out.push(if index == 0 { '?' } else { '&' });
        match parameter.split_once('=') {
            Some((name, _)) if is_secret(name) || is_signature(name) => {
                found = true;
                out.extend([name, "=", MASK]);
            }
            _ => out.push_str(parameter),
        }
    }
    found
}

fn is_signature(name: &str) -> bool {
    ["sig", "signature", "x-amz-signature"]
        .iter()
        .any(|known| known.eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_hidden_in_every_form_and_urls_lose_their_passwords() {
        let mut secrets = Secrets::default();
        secrets.add("it's \"so\"");
        secrets.add("it's \"so\" long");
        secrets.add("abc");
        assert_eq!(
            secrets.hide(r#"x = 'it''s "so"', {"p": "it's \"so\" long"}, abc"#),
            r#"x = '***', {"p": "***"}, abc"#
        );
        let none = Secrets::default();
        for (text, shown) in [
            (
                "read s3://me:hush@h/b?x=1 now",
                "read s3://me:***@h/b?x=1 now",
            ),
            (
                "`https://h/p?a=1&sig=zz&token=q`",
                "`https://h/p?a=1&sig=***&token=***`",
            ),
            ("abfss://box@account.dfs/x", "abfss://box@account.dfs/x"),
            ("a :// b: c@d", "a :// b: c@d"),
        ] {
            assert_eq!(none.hide(text), shown);
        }
        assert_eq!(format!("{secrets:?}").find("so"), None);
        let mut scanned = Secrets::default();
        scanned.scan("  {password: 'hunter, 2', \"api-key\": abcd, x: efgh}\ntoken = ijkl # m");
        assert_eq!(
            scanned.hide("hunter, 2 abcd efgh ijkl m"),
            "*** *** efgh *** m"
        );
    }
}
