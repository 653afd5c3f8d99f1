//! The languages of the console: which one a request wants, and texts kept in both.
//!
//! The choice is a cookie set by the switch on every page, else the browser's `Accept-Language`,
//! else the site's own language.

use axum::http::HeaderMap;
use axum::http::header::ACCEPT_LANGUAGE;
pub use tongban_org::Language;

use crate::words::{CHINESE, ENGLISH, Words};

/// The name of the cookie that keeps a visitor's choice.
pub const LANGUAGE_COOKIE: &str = "language";

/// What the console says in a language.
pub trait InWords {
    /// All fixed texts of the console.
    fn words(self) -> &'static Words;
}

impl InWords for Language {
    fn words(self) -> &'static Words {
        match self {
            Self::Chinese => &CHINESE,
            Self::English => &ENGLISH,
        }
    }
}

/// Picks the language of a request.
pub fn of_request(headers: &HeaderMap, chosen: Option<&str>, site: Language) -> Language {
    if let Some(language) = chosen.and_then(Language::from_tag) {
        return language;
    }
    headers
        .get(ACCEPT_LANGUAGE)
        .and_then(|value| value.to_str().ok())
        .and_then(preferred)
        .unwrap_or(site)
}

/// The best known language of an `Accept-Language` value, by its weights.
fn preferred(accepted: &str) -> Option<Language> {
    let mut best: Option<(f32, Language)> = None;
    for part in accepted.split(',').take(32) {
        let mut pieces = part.split(';');
        let Some(language) = pieces.next().and_then(Language::from_tag) else {
            continue;
        };
        let weight = pieces
            .find_map(|piece| piece.trim().strip_prefix("q="))
            .and_then(|text| text.trim().parse::<f32>().ok())
            .unwrap_or(1.0);
        if weight > 0.0 && best.is_none_or(|(kept, _)| weight > kept) {
            best = Some((weight, language));
        }
    }
    best.map(|(_, language)| language)
}

/// A text that packs and forms give in Chinese and, where they can, in English.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Title {
    /// The text in the pack's own language.
    pub own: String,
    /// The English text.
    pub english: Option<String>,
}

impl Title {
    /// A title in one language only.
    pub fn plain(own: impl Into<String>) -> Self {
        Self {
            own: own.into(),
            english: None,
        }
    }

    /// The text for a reader of `language`.
    pub fn text(&self, language: Language) -> &str {
        match (language, &self.english) {
            (Language::English, Some(english)) => english,
            _ => &self.own,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    fn of(accept: &str, cookie: Option<&str>) -> Language {
        let mut headers = HeaderMap::new();
        headers.insert(
            ACCEPT_LANGUAGE,
            HeaderValue::from_str(accept).expect("a header"),
        );
        of_request(&headers, cookie, Language::Chinese)
    }

    #[test]
    fn the_cookie_wins_over_the_browser_and_weights_are_respected() {
        assert_eq!(of("en-GB,en;q=0.9", None), Language::English);
        assert_eq!(of("en-GB,en;q=0.9", Some("zh-CN")), Language::Chinese);
        assert_eq!(of("en;q=0.2, zh-Hans;q=0.8", None), Language::Chinese);
        assert_eq!(of("fr, de;q=0.9", None), Language::Chinese);
        assert_eq!(of("en", Some("klingon")), Language::English);
        assert_eq!(of("zh;q=0, en;q=0.1", None), Language::English);
    }

    #[test]
    fn a_title_without_english_falls_back_to_its_own_language() {
        let title = Title {
            own: "用途".into(),
            english: Some("Purpose".into()),
        };
        assert_eq!(title.text(Language::English), "Purpose");
        assert_eq!(title.text(Language::Chinese), "用途");
        assert_eq!(Title::plain("用途").text(Language::English), "用途");
    }
}
