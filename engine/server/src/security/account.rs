//! Accounts in the database: passwords, sessions and API keys. Tokens are stored as hashes only.

use tongban_store::{
    ApiKeyGone, ApiKeyRow, AuditEntry, Change, CredentialRow, SessionGone, SessionRow,
    SessionsOfPersonGone, Store,
};

use super::identity::Client;
use super::key::{self, NewKey, Scope};
use super::password::{PasswordFault, Passwords};
use super::secret::{random_token, token_hash};
use crate::app::App;
use crate::problem::Problem;

/// Who the audit names for what the command line does.
const SITE: &str = "site";
/// Whoever works all day signs in once a day all the same.
const SESSION_MS_MAX: i64 = 24 * 3_600_000;

/// Somebody with a session.
#[derive(Debug, Clone)]
pub struct SignedIn {
    /// The person.
    pub person: String,
    /// The person's name.
    pub name: String,
    /// The person's unit.
    pub unit: Option<String>,
    /// The hash of the session's token.
    pub session: String,
    /// Whether this request made the session longer.
    pub renewed: bool,
}

/// What a new key is for.
#[derive(Debug, Clone)]
pub struct KeyTerms {
    /// What it is called.
    pub name: String,
    /// The unit to which it is bound.
    pub unit: Option<String>,
    /// The person in whose name it acts.
    pub person: Option<String>,
    /// What it may do.
    pub scopes: Vec<Scope>,
    /// When it ends.
    pub expires_at_ms: Option<i64>,
}

/// Why an account could not be changed.
#[derive(Debug, thiserror::Error)]
pub enum AccountError {
    /// The password is not taken.
    #[error(transparent)]
    Password(#[from] PasswordFault),
    /// The database refused.
    #[error("the database did not take it: {0}")]
    Store(String),
}

/// Sets a person's password and ends all sessions of the person.
///
/// # Errors
/// The password is not taken, or the database refused.
pub async fn set_password(
    store: &Store,
    passwords: &Passwords,
    person: &str,
    password: &str,
    now_ms: i64,
) -> Result<(), AccountError> {
    let hash = passwords.hash(password).await?;
    set_hash(store, person, hash, now_ms).await
}

/// Sets the hash of a person's password and ends all sessions of the person.
///
/// # Errors
/// The database refused.
pub async fn set_hash(
    store: &Store,
    person: &str,
    hash: String,
    now_ms: i64,
) -> Result<(), AccountError> {
    let mut change = Change::without_instance(now_ms);
    change.add(CredentialRow {
        person_id: person.to_owned(),
        hash,
        changed_at_ms: now_ms,
        failed: 0,
        locked_until_ms: None,
    });
    change.add(SessionsOfPersonGone {
        person_id: person.to_owned(),
    });
    audit(&mut change, SITE, "password.set", person, now_ms);
    commit(store, change).await
}

/// Makes an API key; its text is in the answer and nowhere else.
///
/// # Errors
/// The database refused.
pub async fn add_key(store: &Store, terms: KeyTerms, now_ms: i64) -> Result<NewKey, AccountError> {
    let new = key::new_key();
    let name = terms.name.clone();
    let scopes: Vec<&str> = terms.scopes.iter().map(|scope| scope.name()).collect();
    let mut change = Change::without_instance(now_ms);
    change.add(ApiKeyRow {
        hash: new.hash.clone(),
        prefix: new.prefix.clone(),
        name: terms.name,
        unit_id: terms.unit,
        person_id: terms.person,
        scopes: serde_json::json!(scopes).to_string(),
        created_at_ms: now_ms,
        expires_at_ms: terms.expires_at_ms,
    });
    audit(
        &mut change,
        SITE,
        "key.add",
        &format!("{} {name}", new.prefix),
        now_ms,
    );
    commit(store, change).await.map(|()| new)
}

/// Takes a key back, by its hash.
///
/// # Errors
/// The database refused.
pub async fn remove_key(store: &Store, hash: &str, now_ms: i64) -> Result<(), AccountError> {
    let mut change = Change::without_instance(now_ms);
    change.add(ApiKeyGone {
        hash: hash.to_owned(),
    });
    audit(
        &mut change,
        SITE,
        "key.remove",
        hash.get(..12).unwrap_or(hash),
        now_ms,
    );
    commit(store, change).await
}

/// Whether a name and a password belong together; the time is the same for unknown names.
///
/// # Errors
/// The database refused.
pub async fn password_fits(app: &App, person: &str, password: &str) -> Result<bool, Problem> {
    let active = app.organisation().is_here(person, app.now_ms());
    let credential = app
        .store()
        .credential(person)
        .await
        .map_err(Problem::from)?;
    let hash = credential
        .filter(|_| active)
        .map(|credential| credential.hash);
    Ok(app.passwords.matches(hash.as_deref(), password).await)
}

/// Begins a session and gives its token; a former session of the same browser ends.
///
/// # Errors
/// The database refused.
pub async fn begin_session(
    app: &App,
    person: &str,
    former: Option<&str>,
) -> Result<String, Problem> {
    let (now_ms, token) = (app.now_ms(), random_token());
    let mut change = Change::without_instance(now_ms);
    if let Some(former) = former {
        change.add(SessionGone {
            hash: token_hash(former),
        });
    }
    change.add(SessionRow {
        hash: token_hash(&token),
        person_id: person.to_owned(),
        body: "{}".to_owned(),
        created_at_ms: now_ms,
        expires_at_ms: now_ms + session_ms(app),
    });
    audit(&mut change, person, "session.begin", person, now_ms);
    commit(app.store(), change)
        .await
        .map_err(Problem::internal)?;
    Ok(token)
}

/// Ends a session.
///
/// # Errors
/// The database refused.
pub async fn end_session(app: &App, signed_in: &SignedIn) -> Result<(), Problem> {
    let (now_ms, person) = (app.now_ms(), &signed_in.person);
    let mut change = Change::without_instance(now_ms);
    change.add(SessionGone {
        hash: signed_in.session.clone(),
    });
    audit(&mut change, person, "session.end", person, now_ms);
    commit(app.store(), change).await.map_err(Problem::internal)
}

/// Who a session belongs to, if it is in force; one that is past its half is renewed, up to a day from its beginning.
///
/// # Errors
/// The database refused.
pub async fn signed_in(app: &App, token: &str) -> Result<Option<SignedIn>, Problem> {
    if token.len() > 64 {
        return Ok(None);
    }
    let now_ms = app.now_ms();
    let found = app
        .store()
        .session(&token_hash(token))
        .await
        .map_err(Problem::from)?;
    let Some(mut row) = found.filter(|row| row.expires_at_ms > now_ms) else {
        return Ok(None);
    };
    let organisation = app.organisation();
    let person = organisation.person(&row.person_id);
    let Some(person) = person.filter(|person| organisation.is_here(&person.id, now_ms)) else {
        return Ok(None);
    };
    let length = session_ms(app);
    let end = (now_ms + length).min(row.created_at_ms + SESSION_MS_MAX.max(length));
    let signed_in = SignedIn {
        person: person.id.clone(),
        name: person.name.clone(),
        unit: person.unit.clone(),
        session: row.hash.clone(),
        renewed: row.expires_at_ms - now_ms < length / 2 && end > row.expires_at_ms,
    };
    if signed_in.renewed {
        row.expires_at_ms = end;
        let mut change = Change::without_instance(now_ms);
        change.add(row);
        commit(app.store(), change)
            .await
            .map_err(Problem::internal)?;
    }
    Ok(Some(signed_in))
}

/// The client of an API key, if it is in force and its person and unit still are.
///
/// # Errors
/// The database refused.
pub async fn client(app: &App, key: &str) -> Result<Option<Client>, Problem> {
    let now_ms = app.now_ms();
    let found = app
        .store()
        .api_key(&token_hash(key))
        .await
        .map_err(Problem::from)?;
    let Some(row) = found.filter(|row| row.expires_at_ms.is_none_or(|end| end > now_ms)) else {
        return Ok(None);
    };
    let organisation = app.organisation();
    let person_gone = row
        .person_id
        .as_deref()
        .is_some_and(|person| !organisation.is_here(person, now_ms));
    let unit_gone = row
        .unit_id
        .as_deref()
        .is_some_and(|unit| organisation.unit(unit).is_none());
    if person_gone || unit_gone {
        return Ok(None);
    }
    Ok(Some(Client {
        prefix: row.prefix,
        unit: row.unit_id,
        person: row.person_id,
        scopes: key::scopes_of(&row.scopes),
    }))
}

/// Writes what was done to accounts into the audit of the site.
fn audit(change: &mut Change, who: &str, act: &str, object: &str, at_ms: i64) {
    change.audit.push(AuditEntry {
        at_ms,
        who: who.to_owned(),
        act: act.to_owned(),
        object: object.to_owned(),
        body: "{}".to_owned(),
    });
}

fn session_ms(app: &App) -> i64 {
    i64::try_from(app.limits.session_minutes)
        .unwrap_or(480)
        .saturating_mul(60_000)
}

async fn commit(store: &Store, change: Change) -> Result<(), AccountError> {
    match store
        .commit_one(change)
        .await
        .map_err(|error| AccountError::Store(error.to_string()))?
    {
        tongban_store::Outcome::Committed { .. } => Ok(()),
        other => Err(AccountError::Store(format!("{other:?}"))),
    }
}
