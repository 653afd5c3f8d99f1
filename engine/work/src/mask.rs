//! Masking of personal data for the public: names keep the family name, codes
//! their ends.

use tongban_expr::Value;

/// The data with the named fields masked: `{ name: name, id: id, phone: phone }`.
pub(crate) fn masked(data: &Value, mask: &Value) -> Value {
    let mut shown = data.clone();
    for (path, kind) in mask.entries() {
        let Some(text) = shown.at(path.as_str()).and_then(Value::as_str) else {
            continue;
        };
        let hidden = hide(text, kind.as_str().unwrap_or("all"));
        // The path was read a moment ago, so it can be written.
        let _ = shown.set_at(path.as_str(), hidden);
    }
    shown
}

fn hide(text: &str, kind: &str) -> String {
    let length = text.chars().count();
    let (head, tail) = match kind {
        "name" => (1, 0),
        "id" => (4, 2),
        "phone" => (3, 4),
        _ => (0, 0),
    };
    let (head, tail) = if head + tail < length {
        (head, tail)
    } else {
        (0, 0)
    };
    let star = |(index, letter): (usize, char)| {
        if index < head || index >= length - tail {
            letter
        } else {
            '*'
        }
    };
    text.chars().enumerate().map(star).collect()
}

#[cfg(test)]
mod tests {
    use tongban_expr::value;

    use super::masked;

    #[test]
    fn names_and_codes_keep_what_the_public_needs() {
        let data = value!({"name": "欧阳修文", "id": "990000199001010017", "phone": "13900000000", "note": "x"});
        let shown = masked(
            &data,
            &value!({"name": "name", "id": "id", "phone": "phone", "gone": "name"}),
        );
        let expected = value!({"name": "欧***", "id": "9900************17", "phone": "139****0000", "note": "x"});
        assert_eq!(shown, expected);
    }
}
