//! Numbers of persons and organisations that carry a check digit.

/// Checks `text` by the kind of number that `name` says: `resident-id`,
/// `uscc`, `organisation-code` or `date`. `None` for any other name.
#[must_use]
pub fn checked(name: &str, text: &str) -> Option<bool> {
    Some(match name {
        "resident-id" => resident_id_ok(text),
        "uscc" => uscc_ok(text),
        "organisation-code" => organisation_code_ok(text),
        "date" => date_ok(text),
        _ => return None,
    })
}

/// Tells whether `text` is a resident's identity number by GB 11643-1999: 18
/// characters, a real date of birth, the right check character (`X` may be
/// small).
#[must_use]
pub fn resident_id_ok(text: &str) -> bool {
    const WEIGHTS: [u32; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
    let bytes = text.as_bytes();
    let [body @ .., check] = bytes else {
        return false;
    };
    if body.len() != 17 || !body.iter().all(u8::is_ascii_digit) {
        return false;
    }
    let digits = body.iter().map(|byte| u32::from(byte - b'0'));
    let sum: u32 = digits
        .zip(WEIGHTS)
        .map(|(digit, weight)| digit * weight)
        .sum();
    let expected = b"10X98765432".get(sum as usize % 11);
    let birth = text.get(6..14).unwrap_or_default();
    expected == Some(&check.to_ascii_uppercase()) && compact_date_ok(birth)
}

/// Tells whether `text` is a unified social credit identifier by
/// GB 32100-2015: 18 characters and the right check character.
#[must_use]
pub fn uscc_ok(text: &str) -> bool {
    const ALPHABET: &[u8] = b"0123456789ABCDEFGHJKLMNPQRTUWXY";
    let value = |byte: &u8| ALPHABET.iter().position(|letter| letter == byte);
    let [body @ .., check] = text.as_bytes() else {
        return false;
    };
    // The region (characters 3 to 8) is digits only.
    let region = body.get(2..8).unwrap_or_default();
    if body.len() != 17 || !region.iter().all(u8::is_ascii_digit) {
        return false;
    }
    let mut sum = 0;
    let mut weight = 1;
    for byte in body {
        let Some(value) = value(byte) else {
            return false;
        };
        sum += value * weight;
        weight = weight * 3 % 31;
    }
    value(check) == Some((31 - sum % 31) % 31)
}

/// Tells whether `text` is an organisation code by GB 11714-1997: eight
/// characters, a hyphen that may be missing, the right check character.
#[must_use]
pub fn organisation_code_ok(text: &str) -> bool {
    const WEIGHTS: [u32; 8] = [3, 7, 9, 10, 5, 8, 4, 2];
    let (body, check) = match text.as_bytes() {
        [body @ .., b'-', check] => (body, check),
        [body @ .., check] => (body, check),
        [] => return false,
    };
    if body.len() != 8 {
        return false;
    }
    let mut sum = 0;
    for (byte, weight) in body.iter().zip(WEIGHTS) {
        let value = match byte {
            b'0'..=b'9' => u32::from(byte - b'0'),
            b'A'..=b'Z' => u32::from(byte - b'A') + 10,
            _ => return false,
        };
        sum += value * weight;
    }
    let expected = match 11 - sum % 11 {
        10 => b'X',
        11 => b'0',
        digit => b'0' + u8::try_from(digit).unwrap_or_default(),
    };
    *check == expected
}

/// Tells whether `text` is a real day, written `2026-01-31`.
#[must_use]
pub fn date_ok(text: &str) -> bool {
    let mut compact = String::with_capacity(8);
    for (index, character) in text.char_indices() {
        match (index, character) {
            (4 | 7, '-') => {}
            (4 | 7, _) => return false,
            _ => compact.push(character),
        }
    }
    text.len() == 10 && compact_date_ok(&compact)
}

fn compact_date_ok(text: &str) -> bool {
    if text.len() != 8 || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return false;
    }
    let part = |range: std::ops::Range<usize>| {
        text.get(range)
            .and_then(|digits| digits.parse::<u32>().ok())
            .unwrap_or_default()
    };
    let (year, month, day) = (part(0..4), part(4..6), part(6..8));
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let days = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        _ => return false,
    };
    year > 0 && (1..=days).contains(&day)
}
