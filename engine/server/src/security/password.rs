//! Passwords: argon2id off the async threads, a bounded number at a time.

use std::sync::Arc;

use argon2::{Argon2, PasswordHasher, PasswordVerifier};
use tokio::sync::Semaphore;

/// The shortest password, in characters (NIST SP 800-63B-4 for a single factor).
pub const LENGTH_MIN: usize = 15;
/// The longest password, in bytes; longer ones only cost time.
pub const LENGTH_MAX: usize = 256;

/// Hashes and checks passwords.
#[derive(Clone)]
pub struct Passwords {
    permits: Arc<Semaphore>,
    /// A hash that nothing matches: an unknown user costs the same time as a known one.
    nobody: Arc<str>,
}

/// Why a password is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PasswordFault {
    /// Too short.
    #[error("a password has at least 15 characters")]
    Short,
    /// Too long.
    #[error("a password has at most 256 bytes")]
    Long,
    /// The hash could not be made.
    #[error("the password could not be hashed")]
    Hash,
}

impl Passwords {
    /// Checks at most `at_once` passwords at a time: each takes about 19 MiB while it is hashed.
    pub fn new(at_once: usize) -> Self {
        let nobody = hash(&super::secret::random_token()).unwrap_or_default();
        Self {
            permits: Arc::new(Semaphore::new(at_once.max(1))),
            nobody: nobody.into(),
        }
    }

    /// Hashes a new password.
    ///
    /// # Errors
    /// The password is too short or too long, or hashing failed.
    pub async fn hash(&self, password: &str) -> Result<String, PasswordFault> {
        if password.chars().count() < LENGTH_MIN {
            return Err(PasswordFault::Short);
        }
        if password.len() > LENGTH_MAX {
            return Err(PasswordFault::Long);
        }
        let password = password.to_owned();
        self.blocking(move || hash(&password))
            .await
            .flatten()
            .ok_or(PasswordFault::Hash)
    }

    /// Whether a password fits a stored hash; `None` stands for a user that does not exist.
    pub async fn matches(&self, stored: Option<&str>, password: &str) -> bool {
        let known = stored.is_some();
        let stored = stored.unwrap_or(&self.nobody).to_owned();
        let password: String = if password.len() > LENGTH_MAX {
            String::new()
        } else {
            password.to_owned()
        };
        self.blocking(move || verify(&stored, &password))
            .await
            .unwrap_or(false)
            && known
    }

    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Option<T> {
        let _permit = self.permits.acquire().await.ok()?;
        tokio::task::spawn_blocking(work).await.ok()
    }
}

fn hash(password: &str) -> Option<String> {
    Argon2::default()
        .hash_password(password.as_bytes())
        .ok()
        .map(|hash| hash.to_string())
}

fn verify(stored: &str, password: &str) -> bool {
    argon2::PasswordHash::new(stored).is_ok_and(|hash| {
        Argon2::default()
            .verify_password(password.as_bytes(), &hash)
            .is_ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_the_right_password_of_a_known_user_matches() {
        let passwords = Passwords::new(1);
        let stored = passwords
            .hash("correct horse battery")
            .await
            .expect("long enough");
        assert!(stored.starts_with("$argon2id$"), "{stored}");
        assert!(
            passwords
                .matches(Some(&stored), "correct horse battery")
                .await
        );
        assert!(
            !passwords
                .matches(Some(&stored), "correct horse batterz")
                .await
        );
        assert!(!passwords.matches(None, "correct horse battery").await);
        assert!(
            !passwords
                .matches(Some("not a hash"), "correct horse battery")
                .await
        );
    }

    #[tokio::test]
    async fn lengths_are_bounded_in_characters_and_bytes() {
        let passwords = Passwords::new(1);
        assert_eq!(passwords.hash("short").await, Err(PasswordFault::Short));
        assert!(
            passwords
                .hash("十五个汉字组成的口令也可以用哦哦")
                .await
                .is_ok()
        );
        assert_eq!(
            passwords.hash(&"x".repeat(257)).await,
            Err(PasswordFault::Long)
        );
    }
}
