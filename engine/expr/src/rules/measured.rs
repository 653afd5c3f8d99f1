//! Which parts of a rule file a run reaches.
//!
//! rhai tells nobody which statement it is at. So a second program is made of the file's text, with a probe at the
//! begin of every statement, block, function and arm, and for an `if` without `else` one in an `else` of its own. It
//! runs beside the real one, on the same input; its result is thrown away.

use std::cell::RefCell;
use std::sync::LazyLock;

use rhai::{AST, Engine};

use super::places::{PROBE, Place, places};
use super::{SCRIPT_LENGTH_MAX, engine, host, node, refuse_length, source};
use crate::{Budget, Scope, SyntaxError, Value, deep, meter};

/// The engine of rule files that tell which of their parts they reach.
static MEASURED: LazyLock<Engine> = LazyLock::new(|| {
    let mut engine = engine::scripts();
    engine
        // Bodies of one expression become blocks.
        .set_max_expr_depths(192, 192)
        .set_max_functions(2_000)
        .register_fn(PROBE, reach);
    engine
});

thread_local! {
    /// How often each place was reached in the run on this thread.
    static REACHED: RefCell<Vec<u64>> = const { RefCell::new(Vec::new()) };
}

/// Notes that a place was reached.
fn reach(place: i64) {
    REACHED.with_borrow_mut(|reached| {
        let count = usize::try_from(place)
            .ok()
            .and_then(|place| reached.get_mut(place));
        if let Some(count) = count {
            *count += 1;
        }
    });
}

/// A rule file that tells which of its parts a run reached.
pub struct Measured {
    tree: AST,
    places: Vec<Place>,
}

impl Measured {
    /// Compiles the text of a rule file with a probe at every place.
    ///
    /// # Errors
    /// Where and why it does not compile.
    pub fn compile(source: &str) -> Result<Self, SyntaxError> {
        refuse_length(source, SCRIPT_LENGTH_MAX, "divide the file")?;
        source::refuse_unsafe(source, &[])?;
        let (probed, places) = places(source);
        let known = &engine::GIVEN;
        let tree = deep::run(probed.len(), || {
            MEASURED.compile_with_scope(&engine::declared(known), &probed)
        })
        .map_err(|error| SyntaxError::no_thread(&error))?
        .map_err(|error| source::unparsed(&probed, &error, known))?;
        Ok(Self { tree, places })
    }

    /// The places, in the order of the text.
    #[must_use]
    pub fn places(&self) -> &[Place] {
        &self.places
    }

    /// Runs the file and gives how often each place was reached, also when the run fails.
    #[must_use]
    pub fn reached(&self, input: Value, scope: &Scope, budget: &Budget) -> Vec<u64> {
        let budget = Budget {
            // The probes count as operations, too.
            operations: budget.operations.saturating_mul(4),
            stack_bytes: deep::STACK_BYTES / 2,
            ..budget.clone()
        };
        let run = || {
            REACHED.set(vec![0; self.places.len()]);
            // What stops it stops the real run, which says so.
            let _ = meter::limited(&budget, || self.run(input, scope));
            REACHED.take()
        };
        deep::on_large_stack(run).unwrap_or_default()
    }

    fn run(&self, input: Value, scope: &Scope) {
        let mut variables = super::given(input, scope);
        let _host = host::Host::of(scope).enter();
        let _ = MEASURED
            .eval_ast_with_scope::<rhai::Dynamic>(&mut variables, &self.tree)
            .and_then(node::from_dynamic);
    }
}
