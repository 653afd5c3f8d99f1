//! What a site keeps in files that only its owner reads: its key, its secrets, the token of its metrics.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, bail};
use tongban_expr::Value;
use tongban_plugin::Secrets;

use crate::security::secret::SiteKey;

/// Reads the site's key, or makes it on the first start.
///
/// # Errors
/// The file cannot be read or written, or holds no key.
pub(crate) fn site_key(path: &Path) -> anyhow::Result<SiteKey> {
    match std::fs::read_to_string(path) {
        Ok(text) => SiteKey::from_text(&text)
            .with_context(|| format!("keyFile: `{}` holds no key of 32 bytes", path.display())),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let key = SiteKey::random();
            write_private(path, &key.to_text())?;
            tracing::info!(path = %path.display(), "made the site's key: keep it with the backups, never in them");
            Ok(key)
        }
        Err(error) => {
            Err(error).with_context(|| format!("keyFile: cannot read `{}`", path.display()))
        }
    }
}

/// Writes a file that only its owner reads.
///
/// # Errors
/// The file cannot be written.
pub(crate) fn write_private(path: &Path, text: &str) -> anyhow::Result<()> {
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;
    make_folder_of(path)?;
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600);
    let mut file = options
        .open(path)
        .with_context(|| format!("cannot write `{}`", path.display()))?;
    file.write_all(text.as_bytes())
        .with_context(|| format!("cannot write `{}`", path.display()))?;
    Ok(())
}

pub(crate) fn make_folder_of(path: &Path) -> anyhow::Result<()> {
    match path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
    {
        Some(folder) => std::fs::create_dir_all(folder)
            .with_context(|| format!("cannot make the folder `{}`", folder.display())),
        None => Ok(()),
    }
}

/// The token that readers of `/metrics` show, when the site has one.
pub(crate) fn metrics_token(path: Option<&Path>) -> anyhow::Result<Option<Arc<str>>> {
    let Some(path) = path else {
        return Ok(None);
    };
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("metrics.tokenFile: cannot read `{}`", path.display()))?;
    let token = text.trim();
    if token.len() < 16 {
        bail!(
            "metrics.tokenFile: `{}` holds a token of {} characters, expected at least 16",
            path.display(),
            token.len()
        );
    }
    Ok(Some(token.into()))
}

/// Secrets as files of a folder, one each; JSON objects are read as such.
pub(crate) struct SecretFiles {
    /// Where they lie.
    pub(crate) folder: PathBuf,
}

impl Secrets for SecretFiles {
    fn reveal(&self, name: &str) -> Option<Value> {
        let plain = name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_');
        if name.is_empty() || !plain {
            return None;
        }
        let text = std::fs::read_to_string(self.folder.join(name)).ok()?;
        let text = text.trim_end_matches(['\r', '\n']);
        if text.starts_with('{') {
            Value::from_json(text).ok()
        } else {
            Some(Value::from(text))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_site_key_is_made_once_and_only_its_owner_reads_it() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("keys/site.key");
        let made = site_key(&path).expect("it is made");
        let read = site_key(&path).expect("it is read");
        assert_eq!(made.bytes(), read.bytes());
        let mode = std::fs::metadata(&path)
            .expect("it is there")
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
        std::fs::write(&path, "oops").expect("it is broken");
        assert!(
            site_key(&path)
                .expect_err("no key")
                .to_string()
                .contains("site.key")
        );
    }

    #[test]
    fn secrets_are_files_and_their_names_never_leave_the_folder() {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("token"), "abc\n").expect("written");
        std::fs::write(folder.path().join("login"), r#"{"username":"u"}"#).expect("written");
        let secrets = SecretFiles {
            folder: folder.path().to_owned(),
        };
        assert_eq!(secrets.reveal("token"), Some(Value::from("abc")));
        assert_eq!(
            secrets
                .reveal("login")
                .and_then(|login| login.get("username").cloned()),
            Some(Value::from("u"))
        );
        assert_eq!(secrets.reveal("../token"), None);
        assert_eq!(secrets.reveal("missing"), None);
    }
}
