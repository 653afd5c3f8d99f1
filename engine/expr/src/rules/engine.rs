//! The two engines: which parts of rhai exist, and their limits.

use std::sync::LazyLock;

use rhai::packages::{
    ArithmeticPackage, BasicArrayPackage, BasicFnPackage, BasicIteratorPackage, BasicMapPackage,
    BasicMathPackage, BasicStringPackage, LogicPackage, MoreStringPackage, Package,
};
use rhai::{Dynamic, Engine, OptimizationLevel, Scope};

use super::source::{DISABLED, ENTRIES_MAX, PRINTING, STRING_BYTES_MAX};
use super::{dates, eligibility, lists, node, numbers, params, printed, texts};
use crate::meter;

/// The engine of expressions: no statements, no loops, no functions.
pub(super) static EXPRESSIONS: LazyLock<Engine> = LazyLock::new(|| {
    let mut engine = bounded();
    for symbol in PRINTING {
        engine.disable_symbol(symbol);
    }
    engine
        .set_allow_anonymous_fn(false)
        .set_allow_looping(false)
        .set_allow_loop_expressions(false)
        .set_allow_statement_expression(false)
        .set_max_functions(0)
        .set_max_call_levels(0);
    engine
});

/// The engine of rule files.
pub(super) static SCRIPTS: LazyLock<Engine> = LazyLock::new(scripts);

/// A new engine of rule files.
pub(super) fn scripts() -> Engine {
    let mut engine = bounded();
    eligibility::register(&mut engine);
    engine
        .on_print(printed::output)
        .on_debug(|text, _, _| printed::error(text))
        .set_max_functions(200)
        .set_max_call_levels(64)
        .set_max_variables(1_000);
    engine
}

/// What the text of a script may name beside its own: what it works on, and what its task's `arguments`, `stdin` and
/// `environment` gave.
pub(crate) const GIVEN: [&str; 4] = ["input", "arguments", "stdin", "environment"];

fn bounded() -> Engine {
    let mut engine = Engine::new_raw();
    // No package that waits, reads the clock, ends the run, parses JSON out
    // of sight, or makes byte arrays of any length.
    ArithmeticPackage::new().register_into_engine(&mut engine);
    LogicPackage::new().register_into_engine(&mut engine);
    BasicMathPackage::new().register_into_engine(&mut engine);
    BasicStringPackage::new().register_into_engine(&mut engine);
    MoreStringPackage::new().register_into_engine(&mut engine);
    BasicArrayPackage::new().register_into_engine(&mut engine);
    BasicMapPackage::new().register_into_engine(&mut engine);
    BasicIteratorPackage::new().register_into_engine(&mut engine);
    BasicFnPackage::new().register_into_engine(&mut engine);
    for symbol in DISABLED {
        engine.disable_symbol(symbol);
    }
    engine
        .set_strict_variables(true)
        .set_optimization_level(OptimizationLevel::None)
        // Ours for `/` goes before the built-in one.
        .set_fast_operators(false)
        // The meter counts: budgets differ from run to run.
        .set_max_operations(0)
        .set_max_expr_depths(64, 64)
        .set_max_modules(0)
        .set_max_string_size(STRING_BYTES_MAX)
        .set_max_array_size(ENTRIES_MAX)
        .set_max_map_size(ENTRIES_MAX)
        // The interner is a lock that all threads would share.
        .set_max_strings_interned(0)
        .on_progress(|_| {
            meter::step();
            None
        });
    node::register(&mut engine);
    lists::register(&mut engine);
    texts::register(&mut engine);
    numbers::register(&mut engine);
    dates::register(&mut engine);
    params::register(&mut engine);
    engine
}

/// Declares the variables that a source may name.
pub(super) fn declared(names: &[&str]) -> Scope<'static> {
    let mut scope = Scope::new();
    for name in names {
        scope.push_constant_dynamic(*name, Dynamic::UNIT);
    }
    scope
}
