//! HTTP digest authentication (RFC 7616): answers a challenge.

use std::fmt::Write as _;

use md5::Md5;
use sha2::{Digest as _, Sha256};

/// What a callee's `WWW-Authenticate: Digest …` asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Challenge {
    realm: String,
    nonce: String,
    opaque: Option<String>,
    algorithm: Algorithm,
    session: bool,
    auth: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Algorithm {
    Md5,
    Sha256,
}

impl Algorithm {
    fn hash(self, text: &str) -> String {
        match self {
            Self::Md5 => hex(&Md5::digest(text.as_bytes())),
            Self::Sha256 => hex(&Sha256::digest(text.as_bytes())),
        }
    }
}

/// The request that is signed.
pub(crate) struct Signed<'a> {
    pub(crate) method: &'a str,
    /// Path and query.
    pub(crate) uri: &'a str,
    pub(crate) username: &'a str,
    pub(crate) password: &'a str,
}

impl Challenge {
    /// Reads the header; `None` when it is another scheme, or asks for what we do not do.
    pub(crate) fn parse(header: &str) -> Option<Self> {
        let (scheme, rest) = header.trim().split_once(' ')?;
        if !scheme.eq_ignore_ascii_case("digest") {
            return None;
        }
        let members = members(rest);
        let member = |name: &str| {
            members
                .iter()
                .find(|(known, _)| known.eq_ignore_ascii_case(name))
                .map(|(_, value)| value.clone())
        };
        let named = member("algorithm").unwrap_or_else(|| "MD5".to_owned());
        let named = named.to_ascii_lowercase();
        let (plain, session) = match named.strip_suffix("-sess") {
            Some(plain) => (plain, true),
            None => (named.as_str(), false),
        };
        let algorithm = match plain {
            "md5" => Algorithm::Md5,
            "sha-256" => Algorithm::Sha256,
            _ => return None,
        };
        let auth = match member("qop") {
            None => false,
            Some(list) => {
                let offered = list
                    .split(',')
                    .any(|one| one.trim().eq_ignore_ascii_case("auth"));
                if !offered {
                    return None;
                }
                true
            }
        };
        Some(Self {
            realm: member("realm")?,
            nonce: member("nonce")?,
            opaque: member("opaque"),
            algorithm,
            session,
            auth,
        })
    }

    /// The `Authorization` header. `cnonce` is fresh randomness.
    pub(crate) fn answer(&self, signed: &Signed<'_>, cnonce: &str) -> String {
        let hash = |text: String| self.algorithm.hash(&text);
        let mut secret = hash(format!(
            "{}:{}:{}",
            signed.username, self.realm, signed.password
        ));
        if self.session {
            secret = hash(format!("{secret}:{}:{cnonce}", self.nonce));
        }
        let request = hash(format!("{}:{}", signed.method, signed.uri));
        let response = if self.auth {
            hash(format!(
                "{secret}:{}:00000001:{cnonce}:auth:{request}",
                self.nonce
            ))
        } else {
            hash(format!("{secret}:{}:{request}", self.nonce))
        };
        let name = match self.algorithm {
            Algorithm::Md5 => "MD5",
            Algorithm::Sha256 => "SHA-256",
        };
        let session = if self.session { "-sess" } else { "" };
        let mut header = format!(
            "Digest username={}, realm={}, nonce={}, uri={}, algorithm={name}{session}, response=\"{response}\"",
            quoted(signed.username),
            quoted(&self.realm),
            quoted(&self.nonce),
            quoted(signed.uri),
        );
        if self.auth {
            header.push_str(&format!(", qop=auth, nc=00000001, cnonce=\"{cnonce}\""));
        }
        if let Some(opaque) = &self.opaque {
            header.push_str(&format!(", opaque={}", quoted(opaque)));
        }
        header
    }
}

/// `a="b, c", d=e` as pairs; commas inside quotes belong to the value.
fn members(text: &str) -> Vec<(String, String)> {
    let mut pairs = Vec::new();
    let mut name = String::new();
    let mut value = String::new();
    let mut in_value = false;
    let mut in_quotes = false;
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' if in_quotes => value.extend(letters.next()),
            '"' if in_value => in_quotes = !in_quotes,
            '=' if !in_value => in_value = true,
            ',' if !in_quotes => {
                pairs.push((name.trim().to_owned(), value.trim().to_owned()));
                name.clear();
                value.clear();
                in_value = false;
            }
            other if in_value => value.push(other),
            other => name.push(other),
        }
    }
    pairs.push((name.trim().to_owned(), value.trim().to_owned()));
    pairs
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a String takes everything");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signed() -> Signed<'static> {
        Signed {
            method: "GET",
            uri: "/dir/index.html",
            username: "Mufasa",
            password: "Circle of Life",
        }
    }

    /// The examples of RFC 7616 §3.9.1.
    #[test]
    fn the_examples_of_the_standard() {
        let cnonce = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ";
        for (algorithm, expected) in [
            ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
            (
                "SHA-256",
                "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1",
            ),
        ] {
            let header = format!(
                "Digest realm=\"http-auth@example.org\", qop=\"auth, auth-int\", algorithm={algorithm}, \
                 nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\""
            );
            let challenge = Challenge::parse(&header).expect("a challenge");
            let mut signed = signed();
            signed.password = "Circle of Life";
            let answer = challenge.answer(&signed, cnonce);
            assert!(
                answer.contains(&format!("response=\"{expected}\"")),
                "{answer}"
            );
            assert!(answer.contains("qop=auth, nc=00000001"));
            assert!(answer.contains("opaque=\"FQhe/"));
        }
    }

    #[test]
    fn other_challenges_are_not_ours() {
        for header in [
            "Basic realm=\"x\"",
            "Digest realm=\"x\"",
            "Digest realm=\"x\", nonce=\"y\", algorithm=SHA-512",
            "Digest realm=\"x\", nonce=\"y\", qop=\"auth-int\"",
            "",
        ] {
            assert_eq!(Challenge::parse(header), None, "{header}");
        }
    }

    #[test]
    fn a_comma_in_quotes_belongs_to_the_value() {
        let challenge =
            Challenge::parse("Digest realm=\"a, \\\"b\\\"\", nonce=n").expect("a challenge");
        assert_eq!(challenge.realm, "a, \"b\"");
        assert!(!challenge.auth);
    }
}
