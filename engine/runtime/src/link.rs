//! Decision links of mails: the token is derived, never stored.
//!
//! A token is a nonce and an HMAC-SHA256 of what the link is for under the site's key. The database
//! keeps the nonce's row (whose, for what, until when, used or not); a copy of the database without
//! the key makes no link.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// Length of a nonce in bytes.
const NONCE: usize = 16;

/// What one link is good for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkTerms {
    /// The instance.
    pub instance: String,
    /// Number of the work item in it.
    pub n: u32,
    /// The item's round.
    pub round: u32,
    /// For whom.
    pub person: String,
    /// For what: `decide`, `view`.
    pub purpose: String,
    /// Until when.
    pub expires_at_ms: i64,
}

/// The keys that sign links: the first signs, all of them are accepted, so that a key can be changed while links are out.
#[derive(Clone)]
pub struct LinkKeys {
    keys: Vec<[u8; 32]>,
}

impl LinkKeys {
    /// Keys from newest to oldest.
    pub fn new(keys: Vec<[u8; 32]>) -> LinkKeys {
        LinkKeys { keys }
    }

    /// The token of a link; `None` when the site has no key.
    pub fn token(&self, nonce: [u8; NONCE], terms: &LinkTerms) -> Option<String> {
        let key = self.keys.first()?;
        let mut bytes = nonce.to_vec();
        bytes.extend_from_slice(&seal(key, &nonce, terms).finalize().into_bytes());
        Some(URL_SAFE_NO_PAD.encode(bytes))
    }

    /// Whether `token` was made by one of our keys for exactly these terms.
    pub fn fits(&self, token: &str, terms: &LinkTerms) -> bool {
        let Some((nonce, mac)) = split(token) else {
            return false;
        };
        // `verify_slice` compares in constant time.
        self.keys
            .iter()
            .any(|key| seal(key, &nonce, terms).verify_slice(&mac).is_ok())
    }
}

/// The nonce's text under which the link's row is stored; `None` when the token has not the form of one.
pub fn nonce_of(token: &str) -> Option<String> {
    split(token).map(|(nonce, _)| nonce_text(nonce))
}

/// How a nonce stands in the database.
pub fn nonce_text(nonce: [u8; NONCE]) -> String {
    URL_SAFE_NO_PAD.encode(nonce)
}

/// The nonce that stands in the database as `text`.
pub fn nonce_bytes(text: &str) -> Option<[u8; NONCE]> {
    URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok()
}

fn split(token: &str) -> Option<([u8; NONCE], Vec<u8>)> {
    let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
    let (nonce, mac) = bytes.split_first_chunk::<NONCE>()?;
    (mac.len() == 32).then(|| (*nonce, mac.to_vec()))
}

fn seal(key: &[u8; 32], nonce: &[u8; NONCE], terms: &LinkTerms) -> Hmac<Sha256> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length");
    mac.update(nonce);
    for text in [&terms.instance, &terms.person, &terms.purpose] {
        // The length first: no two lists of texts give the same bytes.
        mac.update(&u64::try_from(text.len()).unwrap_or(u64::MAX).to_be_bytes());
        mac.update(text.as_bytes());
    }
    mac.update(&terms.n.to_be_bytes());
    mac.update(&terms.round.to_be_bytes());
    mac.update(&terms.expires_at_ms.to_be_bytes());
    mac
}

#[cfg(test)]
mod tests {
    use super::*;

    fn terms() -> LinkTerms {
        LinkTerms {
            instance: "i".into(),
            n: 1,
            round: 2,
            person: "li".into(),
            purpose: "decide".into(),
            expires_at_ms: 1_000,
        }
    }

    #[test]
    fn a_token_fits_its_own_terms_only() {
        let keys = LinkKeys::new(vec![[1; 32]]);
        let token = keys.token([9; 16], &terms()).expect("a key is there");
        assert!(keys.fits(&token, &terms()));
        let others: [fn(&mut LinkTerms); 6] = [
            |terms| terms.instance = "j".into(),
            |terms| terms.n = 2,
            |terms| terms.round = 1,
            |terms| terms.person = "wang".into(),
            |terms| terms.purpose = "view".into(),
            |terms| terms.expires_at_ms = 1_001,
        ];
        for change in others {
            let mut changed = terms();
            change(&mut changed);
            assert!(!keys.fits(&token, &changed), "{changed:?}");
        }
        assert_eq!(nonce_of(&token), Some(nonce_text([9; 16])));
    }

    #[test]
    fn an_older_key_is_still_accepted_and_an_unknown_one_is_not() {
        let old = LinkKeys::new(vec![[1; 32]]);
        let token = old.token([9; 16], &terms()).expect("a key is there");
        assert!(LinkKeys::new(vec![[2; 32], [1; 32]]).fits(&token, &terms()));
        assert!(!LinkKeys::new(vec![[2; 32]]).fits(&token, &terms()));
    }

    #[test]
    fn a_truncated_or_foreign_text_is_no_token() {
        let keys = LinkKeys::new(vec![[1; 32]]);
        let token = keys.token([9; 16], &terms()).expect("a key is there");
        assert!(!keys.fits(token.get(..20).unwrap_or(""), &terms()));
        assert!(!keys.fits("not a token", &terms()));
        assert_eq!(nonce_of("%%"), None);
    }
}
