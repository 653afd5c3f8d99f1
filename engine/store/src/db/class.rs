//! Errors of the databases by class, told apart by SQLSTATE or SQLite code, never by message.

use crate::error::StoreError;

/// What an error means for the work that met it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    /// The same again may work: deadlock, lock, busy.
    Transient,
    /// The connection is gone or unusable.
    Connection,
    /// The database cannot write: full, read only, I/O error, corrupt.
    Resource,
    /// A defect of the statement or of its data.
    Other,
}

/// An error of a statement.
#[derive(Debug, Clone)]
pub(crate) struct DbError {
    pub class: Class,
    /// SQLSTATE or SQLite code; empty when the error is not the database's.
    pub code: String,
    pub text: String,
}

impl DbError {
    pub fn connection(text: impl Into<String>) -> Self {
        Self {
            class: Class::Connection,
            code: String::new(),
            text: text.into(),
        }
    }

    pub fn other(text: impl Into<String>) -> Self {
        Self {
            class: Class::Other,
            code: String::new(),
            text: text.into(),
        }
    }
}

impl From<sqlx::Error> for DbError {
    fn from(error: sqlx::Error) -> Self {
        use sqlx::Error;
        let class = match &error {
            Error::Database(database) => {
                let code = database.code().unwrap_or_default().into_owned();
                let class = class_of(&code);
                return Self {
                    class,
                    code,
                    text: database.message().to_owned(),
                };
            }
            Error::Io(_)
            | Error::Tls(_)
            | Error::Protocol(_)
            | Error::WorkerCrashed
            | Error::PoolTimedOut => Class::Connection,
            _ => Class::Other,
        };
        Self {
            class,
            code: String::new(),
            text: error.to_string(),
        }
    }
}

impl From<DbError> for StoreError {
    fn from(error: DbError) -> Self {
        match error.class {
            Class::Transient | Class::Connection => StoreError::Unavailable(error.text),
            Class::Resource => StoreError::Resource(error.text),
            Class::Other => StoreError::Database(error.text),
        }
    }
}

fn class_of(code: &str) -> Class {
    // A SQLSTATE has five characters; SQLite's extended codes have at most four digits, the class in the low byte.
    if code.len() == 5 {
        class_of_sqlstate(code)
    } else {
        class_of_sqlite(code)
    }
}

fn class_of_sqlstate(code: &str) -> Class {
    match code {
        "40001" | "40P01" | "55P03" | "57014" => Class::Transient,
        "57P01" | "57P02" | "57P03" | "57P05" | "25P03" => Class::Connection,
        "25006" | "XX001" | "XX002" => Class::Resource,
        _ if code.starts_with("08") => Class::Connection,
        _ if code.starts_with("53") || code.starts_with("58") => Class::Resource,
        _ => Class::Other,
    }
}

fn class_of_sqlite(code: &str) -> Class {
    const BUSY: i64 = 5;
    const LOCKED: i64 = 6;
    const NOMEM: i64 = 7;
    const READONLY: i64 = 8;
    const IOERR: i64 = 10;
    const CORRUPT: i64 = 11;
    const FULL: i64 = 13;
    const CANTOPEN: i64 = 14;
    const NOTADB: i64 = 26;
    match code.parse::<i64>().unwrap_or_default() & 0xff {
        BUSY | LOCKED => Class::Transient,
        NOMEM | READONLY | IOERR | CORRUPT | FULL | CANTOPEN | NOTADB => Class::Resource,
        _ => Class::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_decide_the_class() {
        let cases = [
            ("40P01", Class::Transient),
            ("55P03", Class::Transient),
            ("08006", Class::Connection),
            ("57P01", Class::Connection),
            ("53100", Class::Resource),
            ("25006", Class::Resource),
            ("23505", Class::Other),
            ("22021", Class::Other),
            ("5", Class::Transient),
            ("517", Class::Transient),
            ("13", Class::Resource),
            ("778", Class::Resource),
            ("2067", Class::Other),
        ];
        for (code, class) in cases {
            assert_eq!(class_of(code), class, "{code}");
        }
    }
}
