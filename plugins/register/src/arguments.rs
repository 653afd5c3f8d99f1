//! Reads `with:` and says precisely what is wrong with it.

use tongban_expr::Value;
use tongban_plugin::Failure;

/// The arguments of one call.
#[derive(Clone, Copy)]
pub struct Arguments<'a> {
    function: &'a str,
    args: &'a Value,
}

impl<'a> Arguments<'a> {
    /// Takes the arguments of a call.
    #[must_use]
    pub fn new(function: &'a str, args: &'a Value) -> Self {
        Self { function, args }
    }

    /// An argument that may be absent; null counts as absent.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<&'a Value> {
        self.args.get(name).filter(|value| !value.is_null())
    }

    /// An argument that must be there.
    ///
    /// # Errors
    /// Names the argument.
    pub fn needed(&self, name: &str) -> Result<&'a Value, Failure> {
        self.value(name).ok_or_else(|| {
            Failure::validation(format!("`{}` needs `{name}`, found none", self.function))
        })
    }

    /// A text that may be absent.
    ///
    /// # Errors
    /// Names an argument of another kind.
    pub fn text(&self, name: &str) -> Result<Option<&'a str>, Failure> {
        match self.value(name) {
            None => Ok(None),
            Some(value) => value
                .as_str()
                .map(Some)
                .ok_or_else(|| self.wrong(name, "a text", value)),
        }
    }

    /// A text that must be there and not be empty.
    ///
    /// # Errors
    /// Names the argument.
    pub fn needed_text(&self, name: &str) -> Result<&'a str, Failure> {
        let value = self.needed(name)?;
        value
            .as_str()
            .filter(|text| !text.trim().is_empty())
            .ok_or_else(|| self.wrong(name, "a text that is not empty", value))
    }

    /// A list of texts that may be absent.
    ///
    /// # Errors
    /// Names an argument of another kind.
    pub fn texts(&self, name: &str) -> Result<Option<Vec<String>>, Failure> {
        let Some(value) = self.value(name) else {
            return Ok(None);
        };
        value
            .as_list()
            .and_then(|items| {
                items
                    .iter()
                    .map(|item| item.as_str().map(ToOwned::to_owned))
                    .collect()
            })
            .map(Some)
            .ok_or_else(|| self.wrong(name, "a list of texts", value))
    }

    /// A whole number from 1 to `max`, or the default.
    ///
    /// # Errors
    /// Names an argument out of range.
    pub fn count(&self, name: &str, default: u32, max: u32) -> Result<u32, Failure> {
        let Some(value) = self.value(name) else {
            return Ok(default);
        };
        value
            .as_i64()
            .and_then(|number| u32::try_from(number).ok())
            .filter(|number| (1..=max).contains(number))
            .ok_or_else(|| self.wrong(name, &format!("a whole number from 1 to {max}"), value))
    }

    /// The failure that says what was expected of an argument and what was found.
    #[must_use]
    pub fn wrong(&self, name: &str, expected: &str, found: &Value) -> Failure {
        Failure::validation(format!(
            "`{name}` of `{}` expects {expected}, found {}",
            self.function,
            found.kind_name()
        ))
    }
}
