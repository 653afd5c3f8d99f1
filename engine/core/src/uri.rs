//! URI templates: simple expansion of top-level properties.

use std::fmt::Write;

use tongban_expr::Value;

use crate::code::as_text;
use crate::error::{Error, ErrorKind};

/// Puts top-level properties of `input` into the `{name}` places of a URI.
pub(crate) fn expand(template: &str, input: &Value) -> Result<String, Error> {
    let mut uri = String::with_capacity(template.len());
    let mut rest = template;
    while let Some((before, inside)) = rest.split_once('{') {
        uri.push_str(before);
        let Some((name, after)) = inside.split_once('}') else {
            uri.push('{');
            rest = inside;
            continue;
        };
        match input.get(name).unwrap_or(&Value::Null) {
            Value::Null => {}
            Value::Arr(_) | Value::Obj(_) => {
                let kind = input.get(name).map_or("null", Value::kind_name);
                let detail = format!(
                    "{{{name}}} in the URI {template:?} stands for a {kind}; a plain value is needed"
                );
                return Err(Error::new(ErrorKind::Expression, detail));
            }
            value => encode(&as_text(value), &mut uri),
        }
        rest = after;
    }
    uri.push_str(rest);
    Ok(uri)
}

fn encode(text: &str, uri: &mut String) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            uri.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(uri, "%{byte:02X}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tongban_expr::value;

    #[test]
    fn plain_values_are_encoded_and_others_refused() {
        let input = value!({"id": 7, "name": "a b/张", "gone": null, "list": [1]});
        assert_eq!(
            expand("x/{id}?n={name}&g={gone}{none}", &input).expect("a URI"),
            "x/7?n=a%20b%2F%E5%BC%A0&g="
        );
        assert!(
            expand("{list}", &input)
                .expect_err("a list")
                .is(ErrorKind::Expression)
        );
        assert_eq!(expand("{open", &input).expect("no place"), "{open");
    }
}
