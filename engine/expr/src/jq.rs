//! jq: jaq's compiler and evaluation on our values, within the meter.

mod deleting;
mod natives;
pub(crate) mod regexes;
mod source;
mod values;

use std::collections::HashSet;
use std::sync::LazyLock;

use jaq_core::compile::Undefined;
use jaq_core::data::{DataT, HasLut};
use jaq_core::load::parse::{Def, Term};
use jaq_core::load::{Arena, File, Loader};
use jaq_core::native::Fun;
use jaq_core::{Compiler, Ctx, Filter, Lut, Vars};

use crate::{EvalError, Read, Scope, SyntaxError, Value, deep, error, meter, parameters};

pub(crate) use values::within;

/// What the filters work on: our values, and a table that counts.
struct J;

/// Hands jaq its table of terms. jaq asks for it once for every term that it
/// evaluates: the only place to count, and enough.
#[derive(Clone, Copy)]
struct Hook<'a>(&'a Lut<J>);

impl DataT for J {
    type V<'a> = Value;
    type Data<'a> = Hook<'a>;
}

impl<'a> HasLut<'a, J> for Hook<'a> {
    fn lut(&self) -> &'a Lut<J> {
        meter::step();
        self.0
    }
}

/// A compiled expression of jq.
pub(crate) struct Program {
    filter: Filter<J>,
    /// The variables read, in the order in which the filter has them.
    variables: Vec<String>,
    pub(crate) reads: Vec<Read>,
}

/// An expression longer than this belongs into a rule file.
const SOURCE_LENGTH_MAX: usize = 16 << 10;
const NESTING_MAX: usize = 200;

impl Program {
    pub(crate) fn compile(source: &str, locals: &[&str]) -> Result<Self, SyntaxError> {
        refuse_size(source)?;
        // Parser and compiler recurse as deep as the source nests or pipes.
        deep::run(source.len(), || Self::compile_here(source, locals))
            .map_err(|error| SyntaxError::no_thread(&error))?
    }

    fn compile_here(source: &str, locals: &[&str]) -> Result<Self, SyntaxError> {
        let term = source::parsed(source)?;
        source::refuse_recursion(source, &term)?;
        let mut reads = Vec::new();
        source::reads(source, &term, &mut reads);

        let mut known: Vec<String> = Scope::NAMES.iter().map(|name| format!("${name}")).collect();
        known.extend(locals.iter().map(|name| format!("${name}")));
        let variables: Vec<&String> = known
            .iter()
            .filter(|name| {
                reads
                    .iter()
                    .any(|read| **name == ["$", &read.root].concat())
            })
            .collect();

        let arena = Arena::default();
        let file = File {
            code: source,
            path: (),
        };
        let unread = |message: &str| SyntaxError {
            message: message.to_owned(),
            at: 0..source.len(),
            help: None,
        };
        let needed = needed(&term);
        let compiled = |natives: Vec<Fun<J>>| {
            let modules = Loader::new(prelude(&needed))
                .load(&arena, file.clone())
                .map_err(|_| unread("not a filter"))?;
            Compiler::default()
                .with_funs(natives)
                .with_global_vars(variables.iter().map(|name| name.as_str()))
                .compile(modules)
                .map_err(|errors| {
                    let first = errors.into_iter().flat_map(|(_, errors)| errors).next();
                    first.map_or_else(
                        || unread("not a filter"),
                        |(name, undefined)| undefined_name(source, name, &undefined, &known),
                    )
                })
        };
        // Each filter keeps the table of its natives: all of them would take ten times what an expression does.
        let few = natives::all().filter(|(name, ..)| needed.contains(*name));
        let filter = compiled(few.collect()).or_else(|_| compiled(natives::all().collect()))?;
        let variables = variables
            .into_iter()
            .map(|name| name.trim_start_matches('$').to_owned())
            .collect();
        Ok(Self {
            filter,
            variables,
            reads,
        })
    }

    /// The variables that it reads.
    pub(crate) fn variables(&self) -> &[String] {
        &self.variables
    }

    /// Runs the filter; must be called within the meter.
    pub(crate) fn run(&self, scope: &Scope) -> Result<Value, EvalError> {
        let values = self.variables.iter().map(|name| match name.as_str() {
            // jq sees `$params.NAME` as rhai sees `params.NAME`: the value alone.
            "params" => parameters::values(&scope.params),
            name => scope.variable(name).cloned().unwrap_or_default(),
        });
        let context = Ctx::<J>::new(Hook(&self.filter.lut), Vars::new(values));
        let mut outputs = self.filter.id.run((context, scope.argument().clone()));
        let first = match outputs.next() {
            None => return Ok(Value::Null),
            Some(Ok(value)) => value,
            Some(Err(exception)) => return Err(failed(exception)),
        };
        match outputs.next() {
            None => Ok(first),
            Some(Ok(_)) => Err(EvalError::new(
                "the expression gave more than one value; put it into [ ] for a list, or take `first(…)`",
            )),
            Some(Err(exception)) => Err(failed(exception)),
        }
    }
}

fn failed(exception: jaq_core::Exn<'_, Value>) -> EvalError {
    // Never `unwrap_valr`: it would end the process on `halt`.
    match exception.get_err() {
        Ok(raised) => {
            let value = raised.into_val();
            let text = match &value {
                Value::Str(text) => text.to_string(),
                other => other.to_json(),
            };
            EvalError::new(error::shortened(&text))
        }
        Err(_) => EvalError::new("the expression left its last `label`"),
    }
}

fn undefined_name(source: &str, name: &str, kind: &Undefined, known: &[String]) -> SyntaxError {
    match kind {
        Undefined::Filter(arguments) => {
            let mut error = source::undefined(source, name, "filter", known);
            if *arguments > 0 {
                error.message =
                    format!("the filter `{name}` with {arguments} arguments is not defined");
            }
            error
        }
        other => source::undefined(source, name, other.as_str(), known),
    }
}

fn refuse_size(source: &str) -> Result<(), SyntaxError> {
    if source.len() > SOURCE_LENGTH_MAX {
        return Err(SyntaxError {
            message: format!(
                "the expression has {} bytes, at most {SOURCE_LENGTH_MAX} are allowed",
                source.len()
            ),
            at: SOURCE_LENGTH_MAX..source.len(),
            help: Some("put the work into a rule file".to_owned()),
        });
    }
    let mut depth = 0_usize;
    for (at, byte) in source.bytes().enumerate() {
        match byte {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > NESTING_MAX {
            return Err(SyntaxError {
                message: format!("brackets nest deeper than {NESTING_MAX} levels"),
                at: at..at + 1,
                help: None,
            });
        }
    }
    Ok(())
}

/// All definitions in jq text that an expression may use, in their order.
static DEFINITIONS: LazyLock<Vec<Def<&'static str>>> = LazyLock::new(|| {
    let theirs = jaq_core::defs()
        .chain(jaq_std::defs())
        .chain(json_definitions());
    theirs
        .filter(|one| natives::allowed_definition(one.name, one.args.len()))
        .chain(own_definitions())
        .collect()
});

/// What jq has and jaq lacks.
fn own_definitions() -> impl Iterator<Item = Def<&'static str>> {
    let text = include_str!("jq/definitions.jq");
    jaq_core::load::parse(text, |parser| parser.defs())
        .expect("the definitions that are built in can be read")
        .into_iter()
}

fn json_definitions() -> impl Iterator<Item = Def<&'static str>> {
    jaq_json::defs()
}

/// The names that `term` calls, directly or through definitions.
fn needed(term: &Term<&str>) -> HashSet<String> {
    let mut called = Vec::new();
    source::calls(term, &mut called);
    let mut needed: HashSet<String> = called.into_iter().map(str::to_owned).collect();
    let mut waiting: Vec<String> = needed.iter().cloned().collect();
    while let Some(name) = waiting.pop() {
        for definition in DEFINITIONS
            .iter()
            .filter(|definition| definition.name == name)
        {
            let mut called = Vec::new();
            source::calls(&definition.body, &mut called);
            for inner in called {
                if needed.insert(inner.to_owned()) {
                    waiting.push(inner.to_owned());
                }
            }
        }
    }
    needed
}

/// Gives the definitions that are called: compiling all of them takes far longer
/// than compiling an expression.
fn prelude(needed: &HashSet<String>) -> Vec<Def<&'static str>> {
    DEFINITIONS
        .iter()
        .filter(|definition| needed.contains(definition.name))
        .cloned()
        .collect()
}
