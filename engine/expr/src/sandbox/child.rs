//! The child's side: reads frames, compiles, evaluates, answers.

use std::collections::HashMap;
use std::io::{self, Read, Write};
use std::sync::{Arc, Mutex, PoisonError};

use super::{Evaluation, Given, Said, Source, Told, read_frame, write_frame};
use crate::{Budget, EvalError, Expression, Parameters, Scope, Script, Units, Value, deep};

/// One process's part of a talk over two streams.
pub struct Child {
    streams: Arc<Mutex<Streams>>,
    programs: HashMap<u64, Compiled>,
    kept: HashMap<u64, Value>,
    parameters: HashMap<u64, Arc<Parameters>>,
}

struct Streams {
    input: Box<dyn Read + Send>,
    output: Box<dyn Write + Send>,
}

enum Compiled {
    Expression(Expression),
    Script(Script),
    Broken(EvalError),
}

impl Child {
    /// The bytes of stack that the thread of [`Child::run`] must have.
    pub const STACK_BYTES: usize = deep::STACK_BYTES;

    /// Begins to talk over two streams.
    pub fn new(input: impl Read + Send + 'static, output: impl Write + Send + 'static) -> Self {
        Self {
            streams: Arc::new(Mutex::new(Streams {
                input: Box::new(input),
                output: Box::new(output),
            })),
            programs: HashMap::new(),
            kept: HashMap::new(),
            parameters: HashMap::new(),
        }
    }

    /// Answers until the parent closes. The thread must have
    /// [`Child::STACK_BYTES`]; no other is started. `before` is called before
    /// each evaluation: the place to renew a limit of the system.
    ///
    /// # Errors
    /// A stream broke, or the parent sent what is no message.
    pub fn run(mut self, before: &mut dyn FnMut()) -> io::Result<()> {
        deep::with_room(|| {
            while let Some(told) = self.read()? {
                let Some(evaluation) = self.learn(told) else {
                    continue;
                };
                before();
                let said = match self.evaluate(*evaluation) {
                    Ok(value) => Said::Value(value),
                    Err(error) => Said::Failed(error),
                };
                lock(&self.streams).say(&said)?;
            }
            Ok(())
        })
    }

    fn read(&self) -> io::Result<Option<Told>> {
        read_frame(&mut lock(&self.streams).input)
    }

    /// Remembers what it is told; gives what it is asked.
    fn learn(&mut self, told: Told) -> Option<Box<Evaluation>> {
        match told {
            Told::Program { id, source } => {
                self.programs.insert(id, Compiled::of(&source));
            }
            Told::Keep { id, value } => {
                self.kept.insert(id, value);
            }
            Told::Parameters { id, file } => {
                let read = Parameters::from_value(&file).unwrap_or_default();
                self.parameters.insert(id, Arc::new(read));
            }
            Told::Drop { id } => {
                self.programs.remove(&id);
                self.kept.remove(&id);
                self.parameters.remove(&id);
            }
            Told::Evaluate(evaluation) => return Some(evaluation),
            // The answer to a question of an evaluation that was stopped.
            Told::Unit(_) => {}
        }
        None
    }

    fn evaluate(&self, asked: Evaluation) -> Result<Value, EvalError> {
        let budget = Budget {
            operations: asked.operations,
            weight: asked.weight,
            bytes: asked.bytes,
            heap_bytes: asked.heap_bytes,
            stack_bytes: deep::STACK_BYTES / 2,
            time: None,
        };
        let mut scope = Scope {
            argument: asked.argument.map(|given| self.value(given)),
            params: self.value(asked.params),
            sources_none: self.value(asked.sources_none),
            units: Arc::new(Asking(Arc::clone(&self.streams))),
            parameters: asked
                .parameters
                .and_then(|id| self.parameters.get(&id).cloned()),
            ..Scope::default()
        };
        for (name, given) in asked.variables {
            let value = self.value(given);
            match scope.fixed_mut(&name) {
                Some(place) => *place = value,
                None => scope.locals.push((name, value)),
            }
        }
        match self.programs.get(&asked.program) {
            Some(Compiled::Expression(expression)) => expression.eval(&scope, &budget),
            Some(Compiled::Script(script)) => script.run(scope.input.clone(), &scope, &budget),
            Some(Compiled::Broken(error)) => Err(error.clone()),
            None => Err(EvalError::process("the program was not sent")),
        }
    }

    fn value(&self, given: Given) -> Value {
        match given {
            Given::Value(value) => value,
            Given::Kept(id) => self.kept.get(&id).cloned().unwrap_or_default(),
        }
    }
}

impl Compiled {
    fn of(source: &Source) -> Self {
        let compiled = match source {
            Source::Expression {
                language,
                text,
                locals,
            } => {
                let locals: Vec<&str> = locals.iter().map(String::as_str).collect();
                Expression::compile(*language, text, &locals).map(Self::Expression)
            }
            Source::Script {
                name,
                text,
                is_process: true,
            } => Script::compile_process(None, text, name).map(Self::Script),
            Source::Script { name, text, .. } => Script::compile(text, name).map(Self::Script),
        };
        compiled.unwrap_or_else(|error| {
            Self::Broken(EvalError {
                message: error.message,
                at: Some(error.at),
                limit: None,
            })
        })
    }
}

fn lock(streams: &Mutex<Streams>) -> std::sync::MutexGuard<'_, Streams> {
    streams.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Streams {
    fn say(&mut self, said: &Said) -> io::Result<()> {
        write_frame(&mut self.output, said)
    }

    /// Asks the parent; no answer is as no unit.
    fn ask(&mut self, question: &Said) -> Option<String> {
        self.say(question).ok()?;
        match read_frame(&mut self.input) {
            Ok(Some(Told::Unit(unit))) => unit,
            _ => None,
        }
    }
}

/// The organisation's tree, at the other end.
struct Asking(Arc<Mutex<Streams>>);

impl Units for Asking {
    fn ancestor(&self, unit: &str, level: &str) -> Option<String> {
        let question = Said::Ancestor {
            unit: unit.to_owned(),
            level: level.to_owned(),
        };
        lock(&self.0).ask(&question)
    }

    fn name(&self, unit: &str) -> Option<String> {
        let question = Said::Name {
            unit: unit.to_owned(),
        };
        lock(&self.0).ask(&question)
    }
}
