//! JSON Schema within bounds. A schema that refers to itself under `anyOf` costs more with every level of the data, a long
//! chain of references uses up the stack, and nothing stops a validator that has begun: what a check will cost is found
//! out before it ([`graph`]).

mod graph;

use std::fmt;

use jsonschema::{PatternOptions, ValidationError, Validator};
use serde_json::Value as Json;

use crate::deep;
use graph::{DEPTH_MAX, Extent, Graph};

/// Parts of a schema that are checked at once or lead to others: more make it slow to compile.
const PARTS_MAX: usize = 20_000;
/// So many steps down fit on the stack of any thread.
const SHALLOW: usize = 500;
/// A schema that comes to no more, every reference followed, costs what the data are large.
const PLAIN: u64 = 20_000;
/// What a check may cost when it depends on how the data nest; one is a part asked about a value.
const COST_FREE: u64 = 200_000;
/// So much more for each value in the data.
const COST_EACH: u64 = 16;
/// In more values than these only the first fault is looked for.
const LISTED_VALUES: u64 = 50_000;
/// A compiled pattern has at most so many bytes.
const PATTERN_BYTES: usize = 1 << 20;

/// A compiled schema. It never fetches what it refers to.
pub struct Schema {
    validator: Validator,
    /// How it grows with the data; nothing for one that costs what they are large.
    growing: Option<Graph>,
    depth: usize,
}

/// What a check found.
#[derive(Debug)]
pub enum Checked<'i> {
    /// The data fit.
    Fits,
    /// What is wrong; in large data the first of it.
    Faults(Vec<ValidationError<'i>>),
    /// The schema asks too much of these data: whether they fit is not known.
    Stopped,
}

/// What is said of data when the check was stopped.
pub const STOPPED: &str =
    "the schema refers to itself in too many ways to check data nested so deep";

impl Schema {
    /// Compiles a schema; `formats` makes `format` binding, as in forms.
    ///
    /// # Errors
    /// What is wrong with the schema, in words.
    pub fn compile(document: &Json, formats: bool) -> Result<Self, String> {
        let graph = Graph::of(document, PARTS_MAX)?;
        let extent = graph.extent();
        let depth = extent.map_or(graph.parts(), |extent| extent.depth);
        if depth > DEPTH_MAX {
            return Err(format!(
                "references of a schema lead at most {DEPTH_MAX} steps down, here {depth}"
            ));
        }
        // Compiling goes down every chain of references, too.
        let compiled = with_stack(depth, || validator(document, formats));
        let validator = compiled.map_err(|error| error.to_string())??;
        let plain = extent.is_some_and(|extent| extent.cost <= PLAIN);
        Ok(Self {
            validator,
            growing: (!plain).then_some(graph),
            depth,
        })
    }

    /// Checks data; at most `most` faults are listed.
    pub fn check<'i>(&'i self, data: &'i Json, most: usize) -> Checked<'i> {
        let values = values(data);
        let depth = match &self.growing {
            None => self.depth,
            Some(graph) => {
                let limit = COST_FREE.saturating_add(COST_EACH.saturating_mul(values));
                match graph.extent_over(data, limit) {
                    Some(Extent { depth, .. }) if depth <= DEPTH_MAX => depth,
                    _ => return Checked::Stopped,
                }
            }
        };
        // Without a thread for it the check does not begin.
        with_stack(depth, || self.found(data, most, values)).unwrap_or(Checked::Stopped)
    }

    fn found<'i>(&'i self, data: &'i Json, most: usize, values: u64) -> Checked<'i> {
        if self.validator.is_valid(data) {
            return Checked::Fits;
        }
        if values > LISTED_VALUES {
            return match self.validator.validate(data) {
                Ok(()) => Checked::Fits,
                Err(first) => Checked::Faults(vec![first]),
            };
        }
        Checked::Faults(self.validator.iter_errors(data).take(most).collect())
    }
}

impl fmt::Debug for Schema {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Schema").finish_non_exhaustive()
    }
}

fn validator(document: &Json, formats: bool) -> Result<Validator, String> {
    jsonschema::options()
        .with_pattern_options(PatternOptions::regex().size_limit(PATTERN_BYTES))
        .should_validate_formats(formats)
        .build(document)
        .map_err(|error| match error.instance_path().to_string() {
            place if place.is_empty() => error.to_string(),
            place => format!("{error} (at `{place}`)"),
        })
}

/// Runs what goes so deep where there is a stack for it.
fn with_stack<T: Send>(depth: usize, f: impl FnOnce() -> T + Send) -> std::io::Result<T> {
    if depth <= SHALLOW {
        Ok(f())
    } else {
        deep::on_large_stack(f)
    }
}

/// Values in the data, containers among them.
fn values(data: &Json) -> u64 {
    match data {
        Json::Array(items) => 1 + items.iter().map(values).sum::<u64>(),
        Json::Object(members) => 1 + members.values().map(values).sum::<u64>(),
        _ => 1,
    }
}

#[cfg(test)]
mod tests;
