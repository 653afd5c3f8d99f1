//! What the YAML files of a pack may hold: schemas from which places and help of faults are made.

use std::sync::LazyLock;

use tongban_expr::Value;

static DOCUMENT: LazyLock<Value> = LazyLock::new(|| {
    let (value, _) = tongban_dsl::read_yaml(include_str!("files.yaml"));
    value.expect("the schemas of a pack's files are part of the program")
});

static PACK: LazyLock<Value> = LazyLock::new(|| closed("pack"));
static REGISTER: LazyLock<Value> = LazyLock::new(|| closed("register"));
static PARAMETERS: LazyLock<Value> = LazyLock::new(|| closed("parameters"));

fn closed(name: &str) -> Value {
    let schema = DOCUMENT.get(name).cloned().unwrap_or_default();
    schema.with("$defs", DOCUMENT.get("$defs").cloned().unwrap_or_default())
}

/// The schema of `pack`, `register` or `parameters`.
pub(super) fn schema(name: &str) -> &'static Value {
    match name {
        "pack" => &PACK,
        "register" => &REGISTER,
        _ => &PARAMETERS,
    }
}
