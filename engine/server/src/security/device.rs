//! Browsers in which somebody signed in before. Whoever guesses at a name elsewhere makes its owner wait nowhere else:
//! a stranger cannot keep somebody out of a browser that the site knows.

use super::secret::{SiteKey, random_token};

/// The cookie that says so.
pub const DEVICE_COOKIE: &str = "device";
/// How long a browser is known after the last time somebody signed in there.
pub const DEVICE_AGE_S: u64 = 180 * 86_400;

const PURPOSE: &str = "device";

/// The cookie for a browser in which a person has just signed in.
pub fn device_cookie(key: &SiteKey, person: &str) -> String {
    let device = random_token();
    let seal = key.token(PURPOSE, &subject(&device, person));
    format!("{device}.{seal}")
}

/// The browser that a cookie names, if this person signed in there.
pub fn known_device<'a>(key: &SiteKey, person: &str, cookie: &'a str) -> Option<&'a str> {
    let (device, seal) = cookie.split_once('.')?;
    (cookie.len() <= 128 && key.accepts(PURPOSE, &subject(device, person), seal)).then_some(device)
}

/// No browser's name has a space.
fn subject(device: &str, person: &str) -> String {
    format!("{device} {person}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_browser_is_known_for_who_signed_in_there() {
        let key = SiteKey::random();
        let cookie = device_cookie(&key, "li-na");
        let device = known_device(&key, "li-na", &cookie).expect("its own");
        assert!(cookie.starts_with(device));
        assert_eq!(known_device(&key, "zhao-min", &cookie), None);
        assert_eq!(known_device(&SiteKey::random(), "li-na", &cookie), None);
        assert_eq!(known_device(&key, "li-na", "x.y"), None);
        assert_eq!(known_device(&key, "li-na", ""), None);
    }
}
