//! Digests of values.

use super::Value;

impl Value {
    /// Gives the BLAKE3 digest, in hexadecimal, of the JSON text with sorted
    /// keys: values that differ only in the order of keys have the same one.
    #[must_use]
    pub fn digest(&self) -> String {
        blake3::hash(self.to_canonical_json().as_bytes())
            .to_hex()
            .to_string()
    }

    /// Gives the BLAKE3 digest, in hexadecimal, of the JSON text as it is:
    /// values with another order of keys have another one.
    #[must_use]
    pub fn text_digest(&self) -> String {
        blake3::hash(self.to_json().as_bytes()).to_hex().to_string()
    }
}
