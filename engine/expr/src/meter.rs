//! The meter of one evaluation: operations, bytes, stack, heap and time.
//!
//! It is thread-local, so that operators and natives which know nothing of
//! an evaluation can draw on it, and it stops by a private panic: many places
//! (`FromIterator`, `From<String>`) cannot return an error, and an error
//! could be swallowed by `try … catch`. Outside [`limited`] nothing is
//! counted and nothing stops.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{COLLECTION_MAX, WEIGHT_MAX};

/// How long one evaluation may take, by a clock of the caller's: the crate
/// reads none itself.
#[derive(Clone)]
pub struct TimeLimit {
    /// A clock that never goes back, in milliseconds.
    pub now_ms: Arc<dyn Fn() -> u64 + Send + Sync>,
    /// The longest evaluation.
    pub limit_ms: u64,
}

/// What one evaluation may use.
#[derive(Clone)]
pub struct Budget {
    /// Steps: evaluated terms, operators, elements made. 10 million take
    /// between 0.1 and 1.5 seconds.
    pub operations: u64,
    /// Bytes of the JSON text of any value that is made.
    pub weight: u64,
    /// Bytes allocated over the whole evaluation by our values.
    pub bytes: u64,
    /// How far the stack may grow from where the evaluation begins. The
    /// thread must have at least 1 MiB more than this.
    pub stack_bytes: usize,
    /// Live heap above what the thread held at the beginning, and a
    /// sixteenth of what may be allocated in all, freed or not. Both are
    /// only seen where the binary installs [`crate::alloc::Counting`].
    pub heap_bytes: u64,
    /// The clock is asked every 1,024 operations: an evaluation that is over
    /// before that never looks at it.
    pub time: Option<TimeLimit>,
}

impl Budget {
    /// Gives the budget of a rule file or script: twice the operations of an
    /// expression.
    #[must_use]
    pub fn for_scripts() -> Self {
        Self::default().widened_for_scripts()
    }

    /// This budget with twice the operations: a rule file may take more than
    /// an expression.
    #[must_use]
    pub fn widened_for_scripts(self) -> Self {
        Self {
            operations: self.operations.saturating_mul(2),
            ..self
        }
    }

    /// This budget for a value that may be as large as
    /// [`COLLECTION_MAX`](crate::COLLECTION_MAX): the list of a loop, the
    /// input of an instance.
    #[must_use]
    pub fn widened_for_collections(self) -> Self {
        const TIMES: u64 = 8;
        Self {
            operations: self.operations.saturating_mul(4),
            weight: self.weight.max(COLLECTION_MAX),
            bytes: self.bytes.saturating_mul(TIMES),
            heap_bytes: self.heap_bytes.saturating_mul(TIMES),
            ..self
        }
    }

    /// Adds a limit of time: `now_ms` is a clock that never goes back.
    #[must_use]
    pub fn with_time(
        mut self,
        limit_ms: u64,
        now_ms: impl Fn() -> u64 + Send + Sync + 'static,
    ) -> Self {
        self.time = Some(TimeLimit {
            now_ms: Arc::new(now_ms),
            limit_ms,
        });
        self
    }
}

impl Default for Budget {
    /// 20 million operations, values of 8 MiB, 256 MiB allocated, 128 MiB
    /// live, 1 MiB of stack (so that it holds on a thread of 2 MiB), any time.
    fn default() -> Self {
        Self {
            operations: 20_000_000,
            weight: WEIGHT_MAX,
            bytes: 256 << 20,
            stack_bytes: 1 << 20,
            heap_bytes: 128 << 20,
            time: None,
        }
    }
}

impl fmt::Debug for Budget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Budget")
            .field("operations", &self.operations)
            .field("bytes", &self.bytes)
            .field("stack_bytes", &self.stack_bytes)
            .field("heap_bytes", &self.heap_bytes)
            .field("weight", &self.weight)
            .field("limit_ms", &self.time.as_ref().map(|time| time.limit_ms))
            .finish()
    }
}

/// The limit that stopped an evaluation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Limit {
    /// Too many steps.
    Operations,
    /// Too many bytes allocated.
    Bytes,
    /// Recursion too deep.
    Stack,
    /// Too much memory held at once.
    Heap,
    /// A value nested too deep.
    Depth,
    /// A value whose JSON text would be too long.
    Weight,
    /// It took too long.
    Time,
    /// The process that evaluated it was ended by the system, or said nothing.
    Process,
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Operations => "too many operations",
            Self::Bytes => "too much memory asked for",
            Self::Stack => "recursion too deep",
            Self::Heap => "too much memory held",
            Self::Depth => "a value nested too deep",
            Self::Weight => "a value too large",
            Self::Time => "it takes too long",
            Self::Process => "its process ended",
        })
    }
}

impl Limit {
    /// Says which limit it was, with its figure in `budget`.
    pub(crate) fn of(self, budget: &Budget) -> String {
        let mebibytes = |bytes: u64| bytes >> 20;
        match self {
            Self::Operations => format!("{self}, at most {} are allowed", budget.operations),
            Self::Bytes => format!("{self}, at most {} MiB in all", mebibytes(budget.bytes)),
            Self::Heap => format!(
                "{self}, at most {} MiB at once",
                mebibytes(budget.heap_bytes)
            ),
            Self::Depth => format!("{self}, at most {} levels", crate::DEPTH_MAX),
            Self::Weight => format!(
                "{self}, its JSON would be longer than {} bytes ({} MiB)",
                budget.weight,
                mebibytes(budget.weight)
            ),
            Self::Time => match &budget.time {
                Some(time) => format!("{self}, at most {} ms", time.limit_ms),
                None => self.to_string(),
            },
            Self::Stack | Self::Process => self.to_string(),
        }
    }
}

struct Meter {
    on: Cell<bool>,
    operations: Cell<u64>,
    bytes: Cell<u64>,
    floor: Cell<usize>,
    heap_base: Cell<i64>,
    heap_max: Cell<i64>,
    allocated_end: Cell<u64>,
    weight: Cell<u64>,
    until_asked: Cell<u32>,
    /// When the clock was asked first in this evaluation.
    began_ms: Cell<Option<u64>>,
    time: RefCell<Option<TimeLimit>>,
}

thread_local! {
    static METER: Meter = const {
        Meter {
            on: Cell::new(false),
            operations: Cell::new(0),
            bytes: Cell::new(0),
            floor: Cell::new(0),
            heap_base: Cell::new(0),
            heap_max: Cell::new(0),
            allocated_end: Cell::new(0),
            weight: Cell::new(0),
            until_asked: Cell::new(0),
            began_ms: Cell::new(None),
            time: RefCell::new(None),
        }
    };
}

const ASK_EVERY: u32 = 1024;
/// How often the heap may be filled and freed. rhai copies what a script
/// nests deeper and deeper: little is held, and much is allocated.
const ALLOCATED_PER_HEAP: u64 = 16;

/// The payload of the private panic.
struct Stop(Limit);

/// Runs `f` within `budget` on this thread.
///
/// # Errors
/// The limit that was hit. Other panics pass through.
pub fn limited<T>(budget: &Budget, f: impl FnOnce() -> T) -> Result<T, Limit> {
    let outer = Saved::install(budget);
    // The values that `f` reaches are either its own or shared through `Arc`,
    // and `Arc::make_mut` never changes a shared one: a stop in the middle
    // leaves nothing half changed that anybody else can see.
    let result = catch_unwind(AssertUnwindSafe(f));
    drop(outer);
    result.map_err(|payload| match payload.downcast::<Stop>() {
        Ok(stop) => stop.0,
        Err(other) => resume_unwind(other),
    })
}

/// The state of the meter before an evaluation, put back after it.
struct Saved {
    on: bool,
    operations: u64,
    bytes: u64,
    floor: usize,
    heap_base: i64,
    heap_max: i64,
    allocated_end: u64,
    weight: u64,
    began_ms: Option<u64>,
    time: Option<TimeLimit>,
}

impl Saved {
    fn install(budget: &Budget) -> Self {
        METER.with(|meter| Self {
            on: meter.on.replace(true),
            operations: meter.operations.replace(budget.operations),
            bytes: meter.bytes.replace(budget.bytes),
            floor: meter
                .floor
                .replace(stack_pointer().saturating_sub(budget.stack_bytes)),
            heap_base: meter.heap_base.replace(crate::alloc::live_bytes()),
            heap_max: meter
                .heap_max
                .replace(i64::try_from(budget.heap_bytes).unwrap_or(i64::MAX)),
            allocated_end: meter.allocated_end.replace(
                crate::alloc::allocated_bytes()
                    .saturating_add(budget.heap_bytes.saturating_mul(ALLOCATED_PER_HEAP)),
            ),
            weight: meter.weight.replace(budget.weight),
            began_ms: meter.began_ms.replace(None),
            time: meter.time.replace(budget.time.clone()),
        })
    }
}

impl Drop for Saved {
    fn drop(&mut self) {
        METER.with(|meter| {
            meter.on.set(self.on);
            meter.operations.set(self.operations);
            meter.bytes.set(self.bytes);
            meter.floor.set(self.floor);
            meter.heap_base.set(self.heap_base);
            meter.heap_max.set(self.heap_max);
            meter.allocated_end.set(self.allocated_end);
            meter.weight.set(self.weight);
            meter.began_ms.set(self.began_ms);
            meter.time.replace(self.time.take());
        });
    }
}

/// Gives an address on the stack near its top.
#[inline]
fn stack_pointer() -> usize {
    let here = 0_u8;
    &raw const here as usize
}

/// Counts one operation and looks at stack and heap. Called once for every
/// term that jaq or rhai evaluates.
#[inline]
pub(crate) fn step() {
    METER.with(|meter| {
        if !meter.on.get() {
            return;
        }
        count(meter, 1);
        if stack_pointer() < meter.floor.get() {
            stop(Limit::Stack);
        }
        let held = crate::alloc::live_bytes().wrapping_sub(meter.heap_base.get());
        if held > meter.heap_max.get()
            || crate::alloc::allocated_bytes() > meter.allocated_end.get()
        {
            stop(Limit::Heap);
        }
    });
}

/// Counts one operation.
#[inline]
pub(crate) fn tick() {
    spend(1);
}

/// Counts `operations` at once.
#[inline]
pub(crate) fn spend(operations: usize) {
    METER.with(|meter| {
        if meter.on.get() {
            count(meter, operations as u64);
        }
    });
}

/// Asks for `bytes` before they are allocated.
#[inline]
pub(crate) fn draw(bytes: usize) {
    METER.with(|meter| {
        if !meter.on.get() {
            return;
        }
        match meter.bytes.get().checked_sub(bytes as u64) {
            Some(left) => meter.bytes.set(left),
            None => stop(Limit::Bytes),
        }
    });
}

/// Looks at the weight of a value that was made.
#[inline]
pub(crate) fn weigh(weight: u64) {
    METER.with(|meter| {
        if meter.on.get() && weight > meter.weight.get() {
            stop(Limit::Weight);
        }
    });
}

/// Stops the running evaluation; does nothing outside one.
#[inline]
pub(crate) fn stop_if_running(limit: Limit) {
    if METER.with(|meter| meter.on.get()) {
        stop(limit);
    }
}

#[inline]
fn count(meter: &Meter, operations: u64) {
    match meter.operations.get().checked_sub(operations) {
        Some(left) => meter.operations.set(left),
        None => stop(Limit::Operations),
    }
    let asked = meter.until_asked.get().wrapping_add(1);
    meter.until_asked.set(asked);
    if asked.is_multiple_of(ASK_EVERY) {
        ask_clock(meter);
    }
}

#[cold]
fn ask_clock(meter: &Meter) {
    let time = meter.time.borrow();
    let Some(time) = time.as_ref() else { return };
    let now_ms = (time.now_ms)();
    match meter.began_ms.get() {
        None => meter.began_ms.set(Some(now_ms)),
        Some(began_ms) if now_ms.saturating_sub(began_ms) >= time.limit_ms => stop(Limit::Time),
        Some(_) => {}
    }
}

/// Unwinds to [`limited`] without running the panic hook. The meter is off
/// while destructors run: a second stop would abort.
#[cold]
fn stop(limit: Limit) -> ! {
    METER.with(|meter| meter.on.set(false));
    resume_unwind(Box::new(Stop(limit)))
}
