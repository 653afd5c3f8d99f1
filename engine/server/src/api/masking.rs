//! Masked fields in the answers of the API: masked like in the console, in full for a reason that is kept.

use serde::Deserialize;
use utoipa::IntoParams;

use crate::problem::Problem;
use crate::reveal::Look;
use crate::security::identity::Client;
use crate::veil::Veil;

/// Why masked fields are wanted in full.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub struct RevealQuery {
    /// Why the fields that the form masks (`x-mask`) are wanted in full, 1 to 2000 characters; the reason is kept in the
    /// access log with who asked. Without it they are masked for everybody but the applicant, and on a work item for
    /// whoever has to act on it.
    #[serde(default)]
    #[param(min_length = 1, max_length = 2000, pattern = r"\S")]
    pub reveal: Option<String>,
}

/// What an answer about a case leaves out or masks for a client.
///
/// # Errors
/// Whoever asks for the full data may not, or gives no reason.
pub async fn veil(look: &Look<'_>, client: &Client, reason: Option<&str>) -> Result<Veil, Problem> {
    let veil = Veil::of(look).await?;
    match reason {
        Some(why) if veil.masks_anything() => {
            lift(look, client, why).await?;
            Ok(veil.lifted())
        }
        _ => Ok(veil),
    }
}

/// Keeps why somebody sees everything.
///
/// # Errors
/// Whoever asks may not, or gives no reason.
pub async fn lift(look: &Look<'_>, client: &Client, why: &str) -> Result<(), Problem> {
    let not_allowed = "who only got a copy of a case does not see what is masked in it";
    look.reveal(&client.caller().name(), why, not_allowed).await
}
