//! Masked fields in the answers of the API: masked like in the console, in full for a reason that is kept.

use serde::Deserialize;
use tongban_expr::Value;
use utoipa::IntoParams;

use super::body;
use crate::form::Masks;
use crate::problem::Problem;
use crate::reveal::Look;
use crate::security::identity::Client;

/// Why masked fields are wanted in full.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub struct RevealQuery {
    /// Why the fields that the form masks (`x-mask`) are wanted in full, 1 to 2000 characters; the reason is kept in the
    /// access log with who asked. Without it they are masked for everybody but the applicant, and on a work item for
    /// whoever has to act on it.
    #[serde(default)]
    pub reveal: Option<String>,
}

/// The masks that an answer wears; `None` when it is given in full.
///
/// # Errors
/// Whoever asks for the full data may not, or gives no reason.
pub async fn masks(
    look: &Look<'_>,
    client: &Client,
    schema: Option<Value>,
    reason: Option<&str>,
) -> Result<Option<Masks>, Problem> {
    let masks = schema.and_then(|schema| Masks::of(&body::json(&schema)));
    match (masks, reason) {
        (Some(_), Some(why)) => {
            let not_allowed = "who only got a copy of a case does not see what is masked in it";
            look.reveal(&client.caller().name(), why, not_allowed)
                .await?;
            Ok(None)
        }
        (masks, _) => Ok(masks),
    }
}
