//! A form: a JSON Schema with our `x-` keywords, compiled once. It checks what people and machines submit and says
//! what is wrong field by field, in Chinese and English. Rendering a form is the console's work, not this file's.

use std::sync::Arc;

use jsonschema::error::{TypeKind, ValidationErrorKind};
use tongban_expr::Value;
use tongban_expr::check_digit;
use tongban_expr::schema::{Checked, STOPPED, Schema};
pub use tongban_work::FormFault as FieldFault;

/// Faults that are listed at most: nobody corrects more at a time.
const LISTED: usize = 200;

/// Where the titles of codes come from: `purpose` in the form's own pack, `catalogue/mode` in another one.
pub trait Codes {
    /// Whether the list exists, and if so whether it has the code.
    fn has(&self, list: &str, code: &str) -> Option<bool>;
}

/// No code lists at all: `x-code` is not checked.
pub struct NoCodes;

impl Codes for NoCodes {
    fn has(&self, _list: &str, _code: &str) -> Option<bool> {
        None
    }
}

/// A compiled form. Cheap to clone.
#[derive(Clone)]
pub struct Form {
    schema: Value,
    validator: Arc<Schema>,
}

impl Form {
    /// Compiles a schema; the error says what is wrong with the schema itself.
    pub fn compile(schema: &Value) -> Result<Form, String> {
        let document = serde_json::to_value(schema).map_err(|error| error.to_string())?;
        let validator = Schema::compile(&document, true)?;
        Ok(Form {
            schema: schema.clone(),
            validator: Arc::new(validator),
        })
    }

    /// The schema as it was written.
    pub fn schema(&self) -> &Value {
        &self.schema
    }

    /// Everything that is wrong with `data`, errors first. A null stands for a field that was left empty.
    pub fn faults(&self, data: &Value, codes: &dyn Codes) -> Vec<FieldFault> {
        let given = without_nulls(data);
        let mut faults = Vec::new();
        match serde_json::to_value(&given) {
            Ok(instance) => match self.validator.check(&instance, LISTED) {
                Checked::Fits => {}
                Checked::Faults(found) => {
                    faults.extend(found.iter().flat_map(|error| self.describe(error)));
                }
                Checked::Stopped => faults.push(fault(
                    "",
                    "schema",
                    "检查已中止:表单结构自我引用过多,无法检查嵌套如此之深的数据".to_owned(),
                    STOPPED.to_owned(),
                )),
            },
            Err(error) => faults.push(fault("", "type", error.to_string(), error.to_string())),
        }
        self.walk(&self.schema, &given, String::new(), codes, &mut faults);
        faults.sort_by_key(|fault| fault.warning);
        faults.truncate(LISTED);
        faults
    }

    /// `data` with every property that the schema declares: its default, or null when empty.
    pub fn completed(&self, data: &Value) -> Value {
        self.complete(&self.schema, data)
    }

    /// The schema of a field by its path: `scope.items` or `items[0].type`.
    pub fn field(&self, path: &str) -> Option<Value> {
        let mut schema = self.schema.clone();
        for part in path.split('.') {
            let (name, index) = part
                .split_once('[')
                .map_or((part, false), |(name, _)| (name, true));
            schema = self.resolved(self.resolved(&schema).get("properties")?.get(name)?);
            if index {
                schema = self.resolved(schema.get("items")?);
            }
        }
        Some(schema)
    }

    /// Follows a local `$ref` (`#/$defs/person`) and lays the members beside it over the target.
    pub fn resolved(&self, schema: &Value) -> Value {
        let Some(target) = schema
            .get("$ref")
            .and_then(Value::as_str)
            .and_then(|text| text.strip_prefix("#/"))
        else {
            return schema.clone();
        };
        let mut found = self.schema.clone();
        for part in target.split('/') {
            match found.get(part) {
                Some(next) => found = next.clone(),
                None => return schema.clone(),
            }
        }
        merged(&found, schema)
    }

    fn complete(&self, schema: &Value, data: &Value) -> Value {
        let schema = self.resolved(schema);
        if let (Some(properties), true) = (
            schema.get("properties"),
            data.as_object().is_some() || data.is_null(),
        ) {
            let declared = properties.as_object().into_iter().flatten();
            let mut complete = if data.is_null() {
                Value::object::<String, Value>([])
            } else {
                data.clone()
            };
            for (name, property) in declared {
                let given = complete.get(name).cloned().unwrap_or(Value::Null);
                let default = property.get("default").cloned().unwrap_or(Value::Null);
                let given = if given.is_null() { default } else { given };
                let inner = if given.is_null() {
                    given
                } else {
                    self.complete(property, &given)
                };
                complete.set(name, inner);
            }
            return complete;
        }
        if let (Some(items), Some(list)) = (schema.get("items"), data.as_list()) {
            return Value::from(
                list.iter()
                    .map(|item| self.complete(items, item))
                    .collect::<Vec<_>>(),
            );
        }
        data.clone()
    }

    /// Our own keywords, which JSON Schema does not know: code lists and check digits.
    fn walk(
        &self,
        schema: &Value,
        data: &Value,
        path: String,
        codes: &dyn Codes,
        faults: &mut Vec<FieldFault>,
    ) {
        let schema = self.resolved(schema);
        if let (Some(list), Some(code)) =
            (schema.get("x-code").and_then(Value::as_str), data.as_str())
            && codes.has(list, code) == Some(false)
        {
            faults.push(fault(
                &path,
                "x-code",
                format!("{}:“{code}”不在代码表“{list}”中", title(&schema, &path)),
                format!("`{code}` is not a code of the list `{list}`"),
            ));
        }
        if let (Some(check), Some(text)) =
            (schema.get("x-check").and_then(Value::as_str), data.as_str())
            && !digit_fits(check, text)
        {
            let mut warning = fault(
                &path,
                "x-check",
                format!("{}校验码不符,请核对", title(&schema, &path)),
                format!(
                    "the check digit of `{check}` does not fit: please compare it with the document"
                ),
            );
            warning.warning = true;
            faults.push(warning);
        }
        if let (Some(properties), Some(object)) = (schema.get("properties"), data.as_object()) {
            for (name, value) in object {
                if let Some(property) = properties.get(name) {
                    let inner = if path.is_empty() {
                        name.to_string()
                    } else {
                        format!("{path}.{name}")
                    };
                    self.walk(property, value, inner, codes, faults);
                }
            }
        }
        if let (Some(items), Some(list)) = (schema.get("items"), data.as_list()) {
            for (index, item) in list.iter().enumerate() {
                self.walk(items, item, format!("{path}[{index}]"), codes, faults);
            }
        }
    }

    fn describe(&self, error: &jsonschema::ValidationError<'_>) -> Vec<FieldFault> {
        let path = field_path(error.instance_path().as_str());
        let keyword = error.kind().keyword().to_string();
        let (at, zh, en) = match error.kind() {
            ValidationErrorKind::Required { property } => {
                let name = property.as_str().unwrap_or_default();
                let at = if path.is_empty() {
                    name.to_string()
                } else {
                    format!("{path}.{name}")
                };
                let zh = format!("请填写{}", self.title_of(&at));
                let en = format!("`{at}` is required");
                (at, zh, en)
            }
            ValidationErrorKind::AdditionalProperties { unexpected }
            | ValidationErrorKind::UnevaluatedProperties { unexpected } => {
                return unexpected
                    .iter()
                    .map(|name| {
                        let at = if path.is_empty() {
                            name.clone()
                        } else {
                            format!("{path}.{name}")
                        };
                        let zh = format!("表单没有“{at}”这一项");
                        let en = format!("the form has no field `{at}`");
                        fault(&at, &keyword, zh, en)
                    })
                    .collect();
            }
            kind => {
                let (zh, en) = expectation(kind, error);
                (path.clone(), format!("{}{zh}", self.title_of(&path)), en)
            }
        };
        vec![fault(&at, &keyword, zh, en)]
    }

    fn title_of(&self, path: &str) -> String {
        let schema = self.field(path).unwrap_or(Value::Null);
        title(&schema, path)
    }
}

/// What a keyword expected, in both languages, to be put after the field's title.
fn expectation(
    kind: &ValidationErrorKind,
    error: &jsonschema::ValidationError<'_>,
) -> (String, String) {
    match kind {
        ValidationErrorKind::MinLength { limit } => (
            format!("至少 {limit} 个字"),
            format!("expected at least {limit} characters"),
        ),
        ValidationErrorKind::MaxLength { limit } => (
            format!("至多 {limit} 个字"),
            format!("expected at most {limit} characters"),
        ),
        ValidationErrorKind::MinItems { limit } => (
            format!("至少 {limit} 项"),
            format!("expected at least {limit} items"),
        ),
        ValidationErrorKind::MaxItems { limit } => (
            format!("至多 {limit} 项"),
            format!("expected at most {limit} items"),
        ),
        ValidationErrorKind::Minimum { limit } => (
            format!("不得小于 {limit}"),
            format!("expected at least {limit}"),
        ),
        ValidationErrorKind::Maximum { limit } => (
            format!("不得大于 {limit}"),
            format!("expected at most {limit}"),
        ),
        ValidationErrorKind::Enum { options } => (
            format!("须为下列之一:{options}"),
            format!("expected one of {options}"),
        ),
        ValidationErrorKind::Constant { expected_value } => (
            format!("须为 {expected_value}"),
            format!("expected {expected_value}"),
        ),
        ValidationErrorKind::Pattern { pattern } => (
            format!("格式不符({pattern})"),
            format!("expected a text that matches {pattern}"),
        ),
        ValidationErrorKind::Format { format } => (
            format!("格式须为 {format}"),
            format!("expected the format {format}"),
        ),
        ValidationErrorKind::UniqueItems => (
            "各项不得重复".to_string(),
            "expected items that differ".to_string(),
        ),
        ValidationErrorKind::Type { kind } => {
            let expected = match kind {
                TypeKind::Single(one) => one.to_string(),
                TypeKind::Multiple(many) => many
                    .iter()
                    .map(|one| one.to_string())
                    .collect::<Vec<_>>()
                    .join(" | "),
            };
            (
                format!("类型须为 {expected}"),
                format!("expected the type {expected}"),
            )
        }
        _ => ("不符合要求".to_string(), error.to_string()),
    }
}

fn fault(field: &str, keyword: &str, zh: String, en: String) -> FieldFault {
    FieldFault {
        field: field.to_string(),
        keyword: keyword.to_string(),
        zh,
        en,
        warning: false,
    }
}

/// Whether a text passes the check that `x-check` names; a name that is no check of digits names a rule file.
fn digit_fits(check: &str, text: &str) -> bool {
    match check {
        "resident-id" => check_digit::resident_id_ok(text),
        "uscc" | "credit-code" => check_digit::uscc_ok(text),
        "organisation-code" => check_digit::organisation_code_ok(text),
        _ => true,
    }
}

fn title(schema: &Value, path: &str) -> String {
    schema
        .get("title")
        .and_then(Value::as_str)
        .map_or_else(|| format!("“{path}”"), |title| format!("“{title}”"))
}

/// `/items/0/length` → `items[0].length`.
fn field_path(pointer: &str) -> String {
    let mut path = String::new();
    for part in pointer.split('/').skip(1) {
        let part = part.replace("~1", "/").replace("~0", "~");
        if !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()) {
            path.push_str(&format!("[{part}]"));
        } else if path.is_empty() {
            path = part;
        } else {
            path.push('.');
            path.push_str(&part);
        }
    }
    path
}

fn without_nulls(value: &Value) -> Value {
    if let Some(object) = value.as_object() {
        let kept = object.iter().filter(|(_, value)| !value.is_null());
        return Value::object(kept.map(|(name, value)| (name.to_string(), without_nulls(value))));
    }
    if let Some(list) = value.as_list() {
        return Value::from(list.iter().map(without_nulls).collect::<Vec<_>>());
    }
    value.clone()
}

/// `over` laid on `base`: objects member by member, lists of `required` joined, anything else replaced.
fn merged(base: &Value, over: &Value) -> Value {
    let Some(members) = over.as_object() else {
        return over.clone();
    };
    let mut result = base.clone();
    for (name, value) in members {
        if *name == "$ref" {
            continue;
        }
        let value = match (result.get(name), name.as_str()) {
            (Some(old), "properties") => merged(old, value),
            (Some(old), "required") => joined(old, value),
            _ => value.clone(),
        };
        result.set(name, value);
    }
    result
}

fn joined(one: &Value, other: &Value) -> Value {
    let both = one
        .as_list()
        .into_iter()
        .flatten()
        .chain(other.as_list().into_iter().flatten());
    Value::from(both.cloned().collect::<Vec<_>>())
}
