//! Schemas of forms and registers: that what their keywords name exists, and that every key is a keyword.

use tongban_dsl::codes::Code;
use tongban_dsl::schema_stranger;
use tongban_expr::Value;

use super::{Checking, near};
use crate::form::Form;

/// Our keywords.
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
    "x-text",
    "x-warn",
    "x-widget",
];
const TYPES: &[&str] = &[
    "string", "number", "integer", "boolean", "array", "object", "null",
];

/// A fault inside of a schema.
pub(super) struct Found {
    pub pointer: String,
    pub message: String,
    pub help: String,
    /// Whether it can stay.
    pub doubtful: bool,
}

/// Our keywords whose value is a text.
const TEXTS: &[&str] = &[
    "title",
    "description",
    "x-en",
    "x-help",
    "x-mask",
    "x-code",
    "x-widget",
    "x-level",
    "x-text",
];

/// Which schema is walked through.
struct Walk<'a> {
    root: &'a Value,
    found: Vec<Found>,
}

/// Where a schema stands.
#[derive(Clone)]
struct Place {
    pointer: String,
    /// The keyword under which forms do not look for masks: `anyOf` and its like.
    unseen: Option<&'static str>,
}

impl Place {
    fn inner(&self, part: &str) -> Self {
        let part = part.replace('~', "~0").replace('/', "~1");
        Place {
            pointer: format!("{}/{part}", self.pointer),
            ..self.clone()
        }
    }
}

/// Keywords that hold schemas which say something about the same value, or about some of its members.
const UNSEEN: &[&str] = &[
    "allOf",
    "anyOf",
    "oneOf",
    "not",
    "if",
    "then",
    "else",
    "contains",
    "prefixItems",
    "additionalProperties",
    "patternProperties",
];

impl Checking<'_> {
    /// Tells what is wrong with a schema that stands at `pointer` of a file.
    pub(super) fn faulty_schema(
        &mut self,
        file: &str,
        pointer: &str,
        schema: &Value,
        code: Code,
        further: Vec<Found>,
    ) {
        let mut walk = Walk {
            root: schema,
            found: Vec::new(),
        };
        let top = Place {
            pointer: String::new(),
            unseen: None,
        };
        self.schema(schema, &top, &mut walk);
        let mut found = walk.found;
        found.extend(further);
        let told = found.iter().any(|fault| !fault.doubtful);
        for fault in found {
            let place = format!("{pointer}{}", fault.pointer);
            if fault.doubtful {
                self.doubt(file, &place, code, fault.message, fault.help);
            } else {
                self.at(file, &place, code, fault.message, fault.help);
            }
        }
        if let (Err(message), false) = (Form::compile(schema), told) {
            let inside = message
                .rsplit_once("(at `")
                .and_then(|(_, rest)| rest.strip_suffix("`)"))
                .unwrap_or_default();
            let help =
                "it is a JSON Schema of 2020-12; look at the type and the keyword at this place";
            self.at(
                file,
                &format!("{pointer}{inside}"),
                code,
                message.clone(),
                help.to_owned(),
            );
        }
    }

    /// One schema and all below it.
    fn schema(&self, schema: &Value, at: &Place, walk: &mut Walk<'_>) {
        for (name, member) in schema.entries() {
            let name = name.as_str();
            let mut inner = at.inner(name);
            inner.unseen = inner
                .unseen
                .or_else(|| UNSEEN.iter().copied().find(|word| *word == name));
            match name {
                "properties" | "$defs" | "patternProperties" => {
                    for (field, schema) in member.entries() {
                        self.schema(schema, &inner.inner(field), walk);
                    }
                }
                "items" | "additionalProperties" | "not" | "if" | "then" | "else" | "contains" => {
                    self.schema(member, &inner, walk);
                }
                "allOf" | "anyOf" | "oneOf" | "prefixItems" => {
                    for (index, schema) in member.items().enumerate() {
                        self.schema(schema, &inner.inner(&index.to_string()), walk);
                    }
                }
                _ => self.keyword(schema, name, member, &inner, at, walk),
            }
        }
    }

    /// One keyword of a schema.
    fn keyword(
        &self,
        schema: &Value,
        name: &str,
        member: &Value,
        place: &Place,
        around: &Place,
        walk: &mut Walk<'_>,
    ) {
        let top = around.pointer.is_empty();
        let told = match (name, member.as_str()) {
            ("type", Some(kind)) if !TYPES.contains(&kind) => {
                vec![(format!("there is no type `{kind}`"), kind_meant(kind))]
            }
            ("$ref", Some(target)) => leads_nowhere(walk.root, target).into_iter().collect(),
            ("x-code", Some(list)) => self.no_code_list(list).into_iter().collect(),
            ("x-check", Some(rule)) if top => self.no_rule(rule).into_iter().collect(),
            ("x-choose", None) => self.no_register(member).into_iter().collect(),
            _ => Vec::new(),
        };
        let doubts = match name {
            "required" => undeclared(schema, member),
            name if TEXTS.contains(&name) && member.as_str().is_none() => {
                vec![no_text(name, member)]
            }
            "x-mask" => {
                let mask = member.as_str().and_then(no_mask);
                mask.or_else(|| unseen_mask(schema, around))
                    .into_iter()
                    .collect()
            }
            name if name.starts_with("x-") => unread(name).into_iter().collect(),
            name => schema_stranger(name, KEYWORDS, member.is_null())
                .map(|help| {
                    (
                        format!("`{name}` is no keyword of JSON Schema: nothing reads it"),
                        help,
                    )
                })
                .into_iter()
                .collect(),
        };
        let mut take = |told: Vec<(String, String)>, doubtful: bool| {
            walk.found
                .extend(told.into_iter().map(|(message, help)| Found {
                    pointer: place.pointer.clone(),
                    message,
                    help,
                    doubtful,
                }));
        };
        take(told, false);
        take(doubts, true);
    }

    fn no_code_list(&self, list: &str) -> Option<(String, String)> {
        if self.pack.is_headless() || self.library.code_list(self.pack, list).is_some() {
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

/// `$ref: '#/defs/person'` where there is no such part.
fn leads_nowhere(root: &Value, target: &str) -> Option<(String, String)> {
    let path = target.strip_prefix("#/")?;
    let mut here = root;
    for part in path.split('/') {
        let name = part.replace("~1", "/").replace("~0", "~");
        let next = match name.parse::<usize>() {
            Ok(index) => here.item(index).or_else(|| here.get(&name)),
            Err(_) => here.get(&name),
        };
        if let Some(next) = next {
            here = next;
            continue;
        }
        let shared = root.get("$defs").into_iter().flat_map(Value::entries);
        let shared: Vec<String> = shared.map(|(name, _)| format!("#/$defs/{name}")).collect();
        let help = near(
            target,
            shared.iter().map(String::as_str),
            "what is used in several places stands under `$defs` and is named `#/$defs/NAME`",
        );
        return Some((format!("`{target}` leads nowhere in this schema"), help));
    }
    None
}

/// A keyword that takes a text and has something else.
fn no_text(name: &str, found: &Value) -> (String, String) {
    let help = match found {
        Value::Null => "write it behind the colon, or leave the key out".to_owned(),
        Value::Arr(_) | Value::Obj(_) => {
            "one text stands here, without brackets or braces".to_owned()
        }
        other => format!("put it into quotes: '{}'", other.to_json()),
    };
    (
        format!("`{name}` must be a text, found {}", found.kind_name()),
        help,
    )
}

/// A mask where forms do not look for masks: what it should cover would be shown.
fn unseen_mask(schema: &Value, at: &Place) -> Option<(String, String)> {
    if let Some(word) = at.unseen {
        return Some((
            format!("a mask inside `{word}` covers nothing: the field is shown in full"),
            "put `x-mask` on the field itself, under `properties`".to_owned(),
        ));
    }
    let entry = at.pointer.ends_with("/items") && schema.get("properties").is_none();
    entry.then(|| {
        (
            "a mask on the entries of a list covers nothing: they are shown in full".to_owned(),
            "put `x-mask` beside `items`: it covers every entry".to_owned(),
        )
    })
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
