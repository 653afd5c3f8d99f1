//! Randomness of the system, for nonces.

use tongban_plugin::Failure;

use crate::digest::hex;

/// 128 bits in hexadecimal.
pub(crate) fn random() -> Result<String, Failure> {
    let mut bytes = [0_u8; 16];
    getrandom::fill(&mut bytes)
        .map_err(|why| Failure::runtime(format!("the system gives no randomness: {why}")))?;
    Ok(hex(&bytes))
}
