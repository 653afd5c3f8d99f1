//! How rows reach their table: a row struct names its table, its key and what writing it means, and everything else
//! (SQL, batching, sorting, counting) follows from that description. No SQL of a single table is written here twice.

pub use crate::db::{Cell, Mode};
use crate::db::{Kind, Statement};

/// A Rust type that a bulk column can hold.
pub trait Field: Sized {
    /// The column's type.
    const KIND: Kind;
    /// Moves the value into a cell.
    fn into_cell(self) -> Cell;
    /// Reads the value back; `None` when the cell holds something else.
    fn from_cell(cell: &Cell) -> Option<Self>;
}

impl Field for String {
    const KIND: Kind = Kind::Text;
    fn into_cell(self) -> Cell {
        Cell::Text(Some(self))
    }
    fn from_cell(cell: &Cell) -> Option<Self> {
        match cell {
            Cell::Text(Some(text)) => Some(text.clone()),
            _ => None,
        }
    }
}

impl Field for Option<String> {
    const KIND: Kind = Kind::Text;
    fn into_cell(self) -> Cell {
        Cell::Text(self)
    }
    fn from_cell(cell: &Cell) -> Option<Self> {
        match cell {
            Cell::Text(text) => Some(text.clone()),
            Cell::Int(_) => None,
        }
    }
}

impl Field for i64 {
    const KIND: Kind = Kind::Int;
    fn into_cell(self) -> Cell {
        Cell::Int(Some(self))
    }
    fn from_cell(cell: &Cell) -> Option<Self> {
        match cell {
            Cell::Int(number) => *number,
            Cell::Text(_) => None,
        }
    }
}

impl Field for Option<i64> {
    const KIND: Kind = Kind::Int;
    fn into_cell(self) -> Cell {
        Cell::Int(self)
    }
    fn from_cell(cell: &Cell) -> Option<Self> {
        match cell {
            Cell::Int(number) => Some(*number),
            Cell::Text(_) => None,
        }
    }
}

/// The description of one bulk statement over one table.
#[derive(Debug)]
pub struct Operation {
    /// The table's name.
    pub table: &'static str,
    /// What a row does.
    pub mode: Mode,
    /// The key columns that identify a row (for `Delete`: all columns given).
    pub key: &'static [&'static str],
    /// All columns in the order of the cells.
    pub columns: &'static [(&'static str, Kind)],
    pub(crate) statement: Statement,
}

impl Operation {
    /// Describes an operation; used by the `rows!` macro only.
    pub const fn new(
        table: &'static str,
        mode: Mode,
        key: &'static [&'static str],
        columns: &'static [(&'static str, Kind)],
    ) -> Self {
        let statement = Statement::table(table, mode, key, columns);
        Self {
            table,
            mode,
            key,
            columns,
            statement,
        }
    }

    /// Where the key columns stand among the columns.
    pub(crate) fn key_places(&self) -> Vec<usize> {
        let place = |name: &&str| self.columns.iter().position(|(column, _)| column == name);
        self.key.iter().filter_map(place).collect()
    }
}

/// A row struct that a `Change` can carry.
pub trait Write: Sized {
    /// The statement that writes such rows.
    fn operation() -> &'static Operation;
    /// Appends the columns in their order.
    fn into_cells(self, cells: &mut Vec<Cell>);
    /// Reads a row back from its cells.
    fn from_cells(cells: &[Cell]) -> Option<Self>;
}

/// The columns of a row struct, for statements written by hand.
pub(crate) trait Described {
    const COLUMNS: &'static [(&'static str, Kind)];
}

/// The rows of one operation inside one change, row after row.
#[derive(Debug, Clone)]
pub(crate) struct Batch {
    pub operation: &'static Operation,
    pub cells: Vec<Cell>,
}

impl Batch {
    pub fn rows(&self) -> impl Iterator<Item = &[Cell]> {
        self.cells.chunks_exact(self.operation.columns.len())
    }
}

/// All rows of one change.
#[derive(Debug, Clone, Default)]
pub struct Rows {
    batches: Vec<Batch>,
}

impl Rows {
    /// Adds a row to the operation of its type.
    pub fn add<W: Write>(&mut self, row: W) {
        let operation = W::operation();
        let found = self
            .batches
            .iter_mut()
            .find(|batch| std::ptr::eq(batch.operation, operation));
        match found {
            Some(batch) => row.into_cells(&mut batch.cells),
            None => {
                let mut cells = Vec::with_capacity(operation.columns.len());
                row.into_cells(&mut cells);
                self.batches.push(Batch { operation, cells });
            }
        }
    }

    /// The rows of one type, in the order they were added.
    pub fn of<W: Write>(&self) -> Vec<W> {
        let operation = W::operation();
        self.batches
            .iter()
            .filter(|batch| std::ptr::eq(batch.operation, operation))
            .flat_map(Batch::rows)
            .filter_map(W::from_cells)
            .collect()
    }

    /// Whether there is nothing to write.
    pub fn is_empty(&self) -> bool {
        self.batches.is_empty()
    }

    pub(crate) fn batches(&self) -> &[Batch] {
        &self.batches
    }
}

/// Declares the row structs of a file: `Name: Mode "table" key(a, b) { a: String, b: i64, … }`.
macro_rules! rows {
    ($($(#[$meta:meta])* $name:ident: $mode:ident $table:literal key($($key:ident),*) {
        $($(#[$about:meta])* $field:ident: $kind:ty),* $(,)?
    })*) => {
        $(
            $(#[$meta])*
            #[derive(Debug, Clone, Default, PartialEq, Eq, sqlx::FromRow)]
            pub struct $name { $($(#[$about])* pub $field: $kind,)* }

            impl $crate::write::Described for $name {
                const COLUMNS: &'static [(&'static str, $crate::db::Kind)] =
                    &[$((stringify!($field), <$kind as $crate::write::Field>::KIND)),*];
            }

            impl $crate::write::Write for $name {
                fn operation() -> &'static $crate::write::Operation {
                    static OPERATION: $crate::write::Operation = $crate::write::Operation::new(
                        $table,
                        $crate::write::Mode::$mode,
                        &[$(stringify!($key)),*],
                        <$name as $crate::write::Described>::COLUMNS,
                    );
                    &OPERATION
                }
                fn into_cells(self, cells: &mut Vec<$crate::write::Cell>) {
                    $(cells.push($crate::write::Field::into_cell(self.$field));)*
                }
                fn from_cells(cells: &[$crate::write::Cell]) -> Option<Self> {
                    let mut cells = cells.iter();
                    Some(Self { $($field: $crate::write::Field::from_cell(cells.next()?)?,)* })
                }
            }
        )*

        /// The operations of this file, for the test that prepares every statement.
        pub(crate) const OPERATIONS: &[fn() -> &'static $crate::write::Operation] =
            &[$(<$name as $crate::write::Write>::operation),*];
    };
}
pub(crate) use rows;
