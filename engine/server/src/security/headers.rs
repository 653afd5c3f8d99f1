//! Headers that every answer carries, and what differs for links from mails and for framed mails.

use axum::extract::Request;
use axum::http::HeaderValue;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderMap, HeaderName, REFERRER_POLICY,
    STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use axum::middleware::Next;
use axum::response::Response;

/// Pages load only from this site, run no script at all, and stand in no frame.
const POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self' data:; frame-src 'self'; \
                      form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// The body of a mail in the demo's mailbox: it may style itself and do nothing else.
pub const FRAMED_MAIL_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox; base-uri 'none'; frame-ancestors 'self'";

/// Adds the headers to an answer, without replacing what a handler set on purpose.
pub async fn add_headers(secure: bool, request: Request, next: Next) -> Response {
    let asset = request.uri().path().starts_with("/assets/");
    let link = request.uri().path().starts_with("/link/");
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    let framed = headers.get(CONTENT_SECURITY_POLICY).is_some();
    put(headers, CONTENT_SECURITY_POLICY, POLICY);
    put(headers, X_CONTENT_TYPE_OPTIONS, "nosniff");
    put(
        headers,
        X_FRAME_OPTIONS,
        if framed { "SAMEORIGIN" } else { "DENY" },
    );
    put(
        headers,
        REFERRER_POLICY,
        if link { "no-referrer" } else { "same-origin" },
    );
    put(
        headers,
        HeaderName::from_static("cross-origin-opener-policy"),
        "same-origin",
    );
    put(
        headers,
        HeaderName::from_static("cross-origin-resource-policy"),
        "same-origin",
    );
    put(
        headers,
        HeaderName::from_static("permissions-policy"),
        "camera=(), geolocation=(), microphone=()",
    );
    if !asset {
        put(headers, CACHE_CONTROL, "no-store");
    }
    if secure {
        put(
            headers,
            STRICT_TRANSPORT_SECURITY,
            "max-age=31536000; includeSubDomains",
        );
    }
    response
}

fn put(headers: &mut HeaderMap, name: HeaderName, value: &'static str) {
    headers
        .entry(name)
        .or_insert(HeaderValue::from_static(value));
}
