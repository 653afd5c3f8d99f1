//! The keywords of JSON Schema, and what an author meant by a key that is none of them: a validator takes it without a
//! word, and the rule that it stands for is never applied.

use crate::suggest;

/// The keywords of JSON Schema 2020-12, and those of earlier drafts that still have a meaning.
const KEYWORDS: &[&str] = &[
    "$schema",
    "$id",
    "$ref",
    "$defs",
    "$anchor",
    "$dynamicRef",
    "$dynamicAnchor",
    "$vocabulary",
    "$comment",
    "title",
    "description",
    "default",
    "examples",
    "deprecated",
    "readOnly",
    "writeOnly",
    "type",
    "enum",
    "const",
    "format",
    "properties",
    "required",
    "additionalProperties",
    "patternProperties",
    "propertyNames",
    "minProperties",
    "maxProperties",
    "dependentRequired",
    "dependentSchemas",
    "unevaluatedProperties",
    "items",
    "prefixItems",
    "contains",
    "minContains",
    "maxContains",
    "minItems",
    "maxItems",
    "uniqueItems",
    "unevaluatedItems",
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
    "minLength",
    "maxLength",
    "pattern",
    "contentEncoding",
    "contentMediaType",
    "contentSchema",
    "allOf",
    "anyOf",
    "oneOf",
    "not",
    "if",
    "then",
    "else",
    "definitions",
    "dependencies",
    "additionalItems",
    "$recursiveRef",
    "$recursiveAnchor",
];

/// What authors bring from elsewhere.
const FOREIGN: &[(&str, &str)] = &[
    (
        "optional",
        "`required: [FIELD, …]` beside `properties` lists what must be filled in",
    ),
    (
        "mandatory",
        "`required: [FIELD, …]` beside `properties` lists what must be filled in",
    ),
    ("label", "it is called `title` here"),
    (
        "name",
        "a field's name is the key that it stands under; what people read is `title`",
    ),
    (
        "options",
        "write `enum: [ … ]`, or `x-code: LIST` for a code list of pack.yaml",
    ),
    (
        "choices",
        "write `enum: [ … ]`, or `x-code: LIST` for a code list of pack.yaml",
    ),
    (
        "values",
        "write `enum: [ … ]`, or `x-code: LIST` for a code list of pack.yaml",
    ),
    (
        "min",
        "write `minimum` for a number, `minLength` for a text, `minItems` for a list",
    ),
    (
        "max",
        "write `maximum` for a number, `maxLength` for a text, `maxItems` for a list",
    ),
    ("length", "write `maxLength`, or `minLength`"),
    ("regex", "it is called `pattern` here"),
    ("fields", "it is called `properties` here"),
    ("hint", "it is called `x-help` here"),
    ("help", "it is called `x-help` here"),
    ("placeholder", "it is called `x-help` here"),
    ("widget", "it is called `x-widget` here"),
    ("mask", "it is called `x-mask` here"),
    ("code", "it is called `x-code` here"),
    ("en", "it is called `x-en` here"),
];

/// What to do about a key of a schema that is no keyword; `None` for a keyword. `own` are the keywords of ours that the
/// schema may have, `empty` tells that nothing stands behind the colon.
#[must_use]
pub fn schema_stranger(key: &str, own: &[&str], empty: bool) -> Option<String> {
    if KEYWORDS.contains(&key) || own.contains(&key) || key.starts_with("x-") {
        return None;
    }
    let known = || KEYWORDS.iter().chain(own).copied();
    if let Some((word, rest)) = key.split_once(' ').filter(|_| empty)
        && let Some(meant) = suggest::nearest(word, known())
    {
        return Some(format!(
            "a colon is missing: write `{meant}: {}`",
            rest.trim()
        ));
    }
    let foreign = FOREIGN.iter().find(|(foreign, _)| *foreign == key);
    Some(match (foreign, suggest::nearest(key, known())) {
        (Some((_, help)), _) => (*help).to_owned(),
        (None, Some(near)) => format!("did you mean `{near}`?"),
        (None, None) => {
            "fields stand under `properties`; a keyword of your own begins with `x-`".to_owned()
        }
    })
}

#[cfg(test)]
mod tests {
    use super::schema_stranger;

    #[test]
    fn what_is_no_keyword_is_told_with_what_was_meant() {
        let own = ["x-en", "x-mask"];
        let told = |key: &str, empty: bool| schema_stranger(key, &own, empty);
        for known in ["type", "$ref", "minItems", "x-en", "x-anything"] {
            assert_eq!(told(known, false), None, "{known}");
        }
        for (stranger, meant) in [
            ("tpye", "did you mean `type`?"),
            ("requierd", "did you mean `required`?"),
            ("ref", "did you mean `$ref`?"),
            ("xe-n", "did you mean `x-en`?"),
            ("regex", "it is called `pattern` here"),
        ] {
            assert_eq!(told(stranger, false).as_deref(), Some(meant), "{stranger}");
        }
        assert_eq!(
            told("type string", true).as_deref(),
            Some("a colon is missing: write `type: string`")
        );
        assert!(told("amount", false).is_some_and(|help| help.contains("`properties`")));
    }
}
