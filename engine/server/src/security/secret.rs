//! Random tokens, their hashes, and the key of the site from which other tokens derive.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// The site's key: 32 random bytes that never leave the machine.
#[derive(Clone)]
pub struct SiteKey([u8; 32]);

impl std::fmt::Debug for SiteKey {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("SiteKey(…)")
    }
}

impl SiteKey {
    /// Makes a new key from the machine's randomness.
    pub fn random() -> Self {
        Self(random_bytes())
    }

    /// Reads a key from its text, 32 bytes in unpadded base64url.
    pub fn from_text(text: &str) -> Option<Self> {
        URL_SAFE_NO_PAD
            .decode(text.trim())
            .ok()?
            .try_into()
            .ok()
            .map(Self)
    }

    /// The text to keep in a file.
    pub fn to_text(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.0)
    }

    /// The bytes, for what derives keys of its own.
    pub fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// A token for one purpose and one subject; lengths are part of it, so that no two pairs meet.
    pub fn token(&self, purpose: &str, subject: &str) -> String {
        let mut mac =
            Hmac::<Sha256>::new_from_slice(&self.0).expect("an HMAC takes a key of any length");
        for part in [purpose, subject] {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part.as_bytes());
        }
        URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes())
    }

    /// Whether a token is the one for this purpose and subject, in constant time.
    pub fn accepts(&self, purpose: &str, subject: &str, token: &str) -> bool {
        self.token(purpose, subject)
            .as_bytes()
            .ct_eq(token.as_bytes())
            .into()
    }
}

/// A random token of 256 bits as text for cookies and keys.
pub fn random_token() -> String {
    URL_SAFE_NO_PAD.encode(random_bytes())
}

/// The hash under which a token is stored.
pub fn token_hash(token: &str) -> String {
    use std::fmt::Write;
    Sha256::digest(token.as_bytes())
        .iter()
        .fold(String::with_capacity(64), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
}

fn random_bytes() -> [u8; 32] {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).expect("the machine has a source of randomness");
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_hold_for_one_purpose_and_one_subject_only() {
        let key = SiteKey::random();
        let token = key.token("form", "abc");
        assert!(key.accepts("form", "abc", &token));
        assert!(!key.accepts("link", "abc", &token));
        assert!(!key.accepts("for", "mabc", &token));
        assert!(!SiteKey::random().accepts("form", "abc", &token));
        assert!(!key.accepts("form", "abc", ""));
    }

    #[test]
    fn a_key_survives_its_file_and_hides_in_logs() {
        let key = SiteKey::random();
        let read = SiteKey::from_text(&format!("{}\n", key.to_text())).expect("its own text");
        assert_eq!(read.bytes(), key.bytes());
        assert_eq!(format!("{key:?}"), "SiteKey(…)");
        assert!(SiteKey::from_text("short").is_none());
    }

    #[test]
    fn random_tokens_differ_and_are_stored_hashed() {
        assert_ne!(random_token(), random_token());
        assert_eq!(
            token_hash("abc"),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }
}
