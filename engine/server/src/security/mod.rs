//! Who a request comes from, and what a stranger cannot do: sessions, passwords, API keys, tokens
//! of forms, limits on attempts, headers.

pub mod account;
pub mod attempts;
pub mod device;
pub mod form_token;
pub mod headers;
pub mod identity;
pub mod key;
pub mod password;
pub mod secret;
