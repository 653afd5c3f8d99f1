//! Forms: that they are JSON Schemas, and that what their `x-` keywords name exists.

use tongban_dsl::codes;
use tongban_expr::Value;

use super::{Checking, near};
use crate::form::Form;

/// Our keywords of a form.
const KEYWORDS: &[&str] = &[
    "x-accept",
    "x-check",
    "x-choose",
    "x-code",
    "x-default",
    "x-derived",
    "x-en",
    "x-figures",
    "x-help",
    "x-index",
    "x-layout",
    "x-level",
    "x-mask",
    "x-number",
    "x-pages",
    "x-refusal",
    "x-warn",
    "x-widget",
];
const TYPES: &[&str] = &[
    "string", "number", "integer", "boolean", "array", "object", "null",
];

/// A fault inside of a schema.
struct Found {
    pointer: String,
    message: String,
    help: String,
    /// Whether it can stay.
    doubtful: bool,
}

impl Checking<'_> {
    pub(super) fn forms(&mut self) {
        let forms: Vec<(String, Value)> = self
            .pack
            .forms
            .iter()
            .map(|(path, schema)| (path.clone(), schema.clone()))
            .collect();
        for (path, schema) in forms {
            if schema.as_object().is_none() {
                let message = if schema.is_null() {
                    "the form is empty".to_owned()
                } else {
                    format!("a form is an object, found {}", schema.kind_name())
                };
                let help = "write `type: object` and below it `properties:` with the fields";
                self.at(&path, "", codes::PACK_FORM, message, help.to_owned());
                continue;
            }
            let mut found = Vec::new();
            self.schema(&schema, "", &mut found);
            layout(&schema, &mut found);
            let told = found.iter().any(|fault| !fault.doubtful);
            for fault in found {
                if fault.doubtful {
                    self.doubt(
                        &path,
                        &fault.pointer,
                        codes::PACK_FORM,
                        fault.message,
                        fault.help,
                    );
                } else {
                    self.at(
                        &path,
                        &fault.pointer,
                        codes::PACK_FORM,
                        fault.message,
                        fault.help,
                    );
                }
            }
            if let (Err(message), false) = (Form::compile(&schema), told) {
                let pointer = message
                    .rsplit_once("(at `")
                    .and_then(|(_, rest)| rest.strip_suffix("`)"))
                    .unwrap_or_default()
                    .to_owned();
                let help = "a form is a JSON Schema of 2020-12; look at the type and the keyword at this place";
                self.at(&path, &pointer, codes::PACK_FORM, message, help.to_owned());
            }
        }
    }

    /// One schema and all below it.
    fn schema(&self, schema: &Value, at: &str, found: &mut Vec<Found>) {
        for (name, member) in schema.entries() {
            let pointer = format!("{at}/{}", name.replace('~', "~0").replace('/', "~1"));
            match name.as_str() {
                "properties" | "$defs" | "patternProperties" => {
                    for (field, inner) in member.entries() {
                        self.schema(inner, &format!("{pointer}/{field}"), found);
                    }
                }
                "items" | "additionalProperties" | "not" | "if" | "then" | "else" | "contains" => {
                    self.schema(member, &pointer, found);
                }
                "allOf" | "anyOf" | "oneOf" | "prefixItems" => {
                    for (index, inner) in member.items().enumerate() {
                        self.schema(inner, &format!("{pointer}/{index}"), found);
                    }
                }
                _ => self.keyword(schema, name, member, pointer, at.is_empty(), found),
            }
        }
    }

    /// One keyword of a schema.
    fn keyword(
        &self,
        schema: &Value,
        name: &str,
        member: &Value,
        pointer: String,
        top: bool,
        found: &mut Vec<Found>,
    ) {
        let told = match (name, member.as_str()) {
            ("type", Some(kind)) if !TYPES.contains(&kind) => {
                vec![(format!("there is no type `{kind}`"), kind_meant(kind))]
            }
            ("x-code", Some(list)) => self.no_code_list(list).into_iter().collect(),
            ("x-check", Some(rule)) if top => self.no_rule(rule).into_iter().collect(),
            ("x-choose", None) => self.no_register(member).into_iter().collect(),
            _ => Vec::new(),
        };
        let doubts = match name {
            "required" => undeclared(schema, member),
            "x-mask" => member.as_str().and_then(no_mask).into_iter().collect(),
            name if name.starts_with("x-") => unread(name).into_iter().collect(),
            _ => Vec::new(),
        };
        let mut take = |told: Vec<(String, String)>, doubtful: bool| {
            found.extend(told.into_iter().map(|(message, help)| Found {
                pointer: pointer.clone(),
                message,
                help,
                doubtful,
            }));
        };
        take(told, false);
        take(doubts, true);
    }

    fn no_code_list(&self, list: &str) -> Option<(String, String)> {
        if self.library.code_list(self.pack, list).is_some() {
            return None;
        }
        let known = self.pack.manifest.codes.keys().map(String::as_str);
        Some((
            format!("there is no code list `{list}`"),
            near(list, known, "code lists stand under `codes` in pack.yaml"),
        ))
    }

    fn no_rule(&self, rule: &str) -> Option<(String, String)> {
        if self.pack.files.contains_key(rule) {
            return None;
        }
        let files = self.pack.files.keys().map(String::as_str);
        let rules = files.filter(|path| path.starts_with("rules/"));
        Some((
            format!("the pack has no file `{rule}`"),
            near(rule, rules, "rules are files under `rules/`"),
        ))
    }

    fn no_register(&self, chosen: &Value) -> Option<(String, String)> {
        let register = chosen.get("register").and_then(Value::as_str)?;
        if self.library.register(register).is_some() {
            return None;
        }
        let packs = self.library.packs();
        let known = packs.flat_map(|pack| pack.registers.keys().map(String::as_str));
        Some((
            format!("there is no register `{register}`"),
            near(register, known, "registers are files under `registers/`"),
        ))
    }
}

/// Required fields that the form does not have.
fn undeclared(schema: &Value, required: &Value) -> Vec<(String, String)> {
    let open = ["$ref", "allOf", "anyOf", "oneOf"];
    let properties = schema.get("properties");
    let (Some(properties), true) = (
        properties,
        open.iter().all(|word| schema.get(word).is_none()),
    ) else {
        return Vec::new();
    };
    let names = required.items().filter_map(Value::as_str);
    names
        .filter(|name| properties.get(name).is_none())
        .map(|name| {
            let known = properties.entries().map(|(name, _)| name.as_str());
            (
                format!("`{name}` is required, but the form has no such field"),
                near(name, known, "add it under `properties`, or take it out"),
            )
        })
        .collect()
}

/// A mask that does not exist: it masks as an identity number is masked.
fn no_mask(mask: &str) -> Option<(String, String)> {
    const MASKS: &[&str] = &["id", "name", "phone"];
    if MASKS.contains(&mask) {
        return None;
    }
    let help = match mask.to_lowercase().as_str() {
        "mobile" | "tel" | "telephone" | "cellphone" | "手机" | "电话" => {
            "did you mean `phone`?".to_owned()
        }
        "idcard" | "identity" | "resident-id" | "身份证" | "证件号" => {
            "did you mean `id`?".to_owned()
        }
        "姓名" => "did you mean `name`?".to_owned(),
        _ => near(mask, MASKS.iter().copied(), "write `id`, `name` or `phone`"),
    };
    Some((
        format!("there is no mask `{mask}`: it masks like `id`"),
        help,
    ))
}

/// A keyword like ours that nothing reads.
fn unread(name: &str) -> Option<(String, String)> {
    if KEYWORDS.contains(&name) {
        return None;
    }
    let help = tongban_dsl::did_you_mean(name, KEYWORDS.iter().copied())?;
    help.starts_with("did")
        .then(|| (format!("nothing reads `{name}`"), help))
}

/// The type that a word of another language means.
fn kind_meant(kind: &str) -> String {
    let ours = match kind.to_lowercase().as_str() {
        "text" | "str" | "varchar" | "date" | "datetime" | "time" | "email" | "file" => "string",
        "int" | "long" | "count" => "integer",
        "float" | "double" | "decimal" | "money" => "number",
        "bool" | "checkbox" | "yesno" => "boolean",
        "list" | "table" | "set" => "array",
        "map" | "dict" | "group" => "object",
        _ => {
            return near(
                kind,
                TYPES.iter().copied(),
                "write one of the types of JSON Schema",
            );
        }
    };
    if matches!(kind, "date" | "datetime" | "time" | "email") {
        return format!("write `type: string, format: {kind}`");
    }
    format!("write `type: {ours}`")
}

/// What a form's groups say that nothing reads, or name that the form does not have.
fn layout(schema: &Value, found: &mut Vec<Found>) {
    let groups = schema.get("x-layout").into_iter().flat_map(Value::items);
    for (index, group) in groups.enumerate() {
        const MEMBERS: &[&str] = &["group", "x-en", "fields"];
        for (name, _) in group.entries() {
            if !MEMBERS.contains(&name.as_str()) && name.as_str() != "en" {
                found.push(Found {
                    pointer: format!("/x-layout/{index}/{name}"),
                    message: format!("a group has no `{name}`"),
                    help: near(
                        name,
                        MEMBERS.iter().copied(),
                        "a group has `group`, `x-en` and `fields`",
                    ),
                    doubtful: true,
                });
            }
        }
        let fields = group.get("fields").into_iter().flat_map(Value::items);
        for (at, name) in fields.enumerate() {
            let Some(name) = name.as_str() else { continue };
            let properties = schema.get("properties");
            if properties.and_then(|all| all.get(name)).is_none() {
                let known = properties.into_iter().flat_map(Value::entries);
                found.push(Found {
                    pointer: format!("/x-layout/{index}/fields/{at}"),
                    message: format!("the form has no field `{name}`"),
                    help: near(
                        name,
                        known.map(|(name, _)| name.as_str()),
                        "name a field of `properties`",
                    ),
                    doubtful: true,
                });
            }
        }
    }
}
