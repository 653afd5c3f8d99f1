//! Cross-site requests: a token in every form, bound to the visitor, and the browser's own word on
//! where a request comes from.

use axum::http::HeaderMap;
use axum::http::header::{HOST, HeaderName, ORIGIN};

use super::secret::SiteKey;

/// The name of the hidden input.
pub const TOKEN_FIELD: &str = "_token";
const PURPOSE: &str = "form";
const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// The token of a visitor's forms; the visitor is a session or, before signing in, a visit.
pub fn token_for(key: &SiteKey, visitor: &str) -> String {
    key.token(PURPOSE, visitor)
}

/// Whether a post came from a form that this visitor was shown.
pub fn token_accepted(key: &SiteKey, visitor: &str, token: &str) -> bool {
    !visitor.is_empty() && key.accepts(PURPOSE, visitor, token)
}

/// Whether the browser says that another site sent this request. A client that says nothing is no
/// browser with our cookies; the token still has to fit.
pub fn foreign(headers: &HeaderMap) -> bool {
    if let Some(site) = headers.get(SEC_FETCH_SITE) {
        return !(site == "same-origin" || site == "none");
    }
    let Some(origin) = headers.get(ORIGIN) else {
        return false;
    };
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    let origin = origin
        .to_str()
        .ok()
        .and_then(|origin| origin.split_once("://"))
        .map(|(_, host)| host);
    host.is_none() || origin != host
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| {
                (
                    HeaderName::from_static(name),
                    axum::http::HeaderValue::from_static(value),
                )
            })
            .collect()
    }

    #[test]
    fn requests_of_other_sites_are_told_apart() {
        assert!(!foreign(&headers(&[("sec-fetch-site", "same-origin")])));
        assert!(!foreign(&headers(&[("sec-fetch-site", "none")])));
        assert!(foreign(&headers(&[
            ("sec-fetch-site", "cross-site"),
            ("host", "a")
        ])));
        assert!(foreign(&headers(&[("sec-fetch-site", "same-site")])));
        assert!(!foreign(&headers(&[
            ("origin", "https://a:8080"),
            ("host", "a:8080")
        ])));
        assert!(foreign(&headers(&[
            ("origin", "https://evil"),
            ("host", "a")
        ])));
        assert!(foreign(&headers(&[("origin", "null"), ("host", "a")])));
        assert!(!foreign(&headers(&[("host", "a")])));
    }

    #[test]
    fn a_token_fits_only_its_visitor() {
        let key = SiteKey::random();
        let token = token_for(&key, "one");
        assert!(token_accepted(&key, "one", &token));
        assert!(!token_accepted(&key, "two", &token));
        assert!(!token_accepted(&key, "", &token_for(&key, "")));
    }
}
