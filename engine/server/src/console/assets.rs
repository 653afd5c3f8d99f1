//! The style sheet and the icon, compiled in. The style's address carries its digest, so that a
//! browser may keep it for ever.

use std::sync::LazyLock;

use axum::extract::Path;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};

use crate::problem::Problem;

const STYLE: &str = include_str!("../../assets/style.css");
const ICON: &str = include_str!("../../assets/icon.svg");

static STYLE_NAME: LazyLock<String> = LazyLock::new(|| {
    let digest = blake3::hash(STYLE.as_bytes()).to_hex();
    format!("style-{}.css", digest.get(..12).unwrap_or_default())
});

/// The address of the style sheet.
pub fn style_address() -> String {
    format!("/assets/{}", *STYLE_NAME)
}

/// Serves an asset.
pub async fn asset(Path(name): Path<String>) -> Result<Response, Problem> {
    let (kind, body, age) = match name.as_str() {
        "icon.svg" => ("image/svg+xml", ICON, "public, max-age=86400"),
        name if name == *STYLE_NAME => (
            "text/css; charset=utf-8",
            STYLE,
            "public, max-age=31536000, immutable",
        ),
        _ => return Err(Problem::not_found()),
    };
    Ok(([(CONTENT_TYPE, kind), (CACHE_CONTROL, age)], body).into_response())
}
