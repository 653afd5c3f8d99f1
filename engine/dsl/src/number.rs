//! Numbers of YAML 1.2's core schema: `012` is twelve, `1_000` and `1:30` are texts.

/// What a plain scalar is as a number.
pub(crate) enum Number {
    /// Not a number at all.
    No,
    Int(i64),
    Float(f64),
    /// A number that cannot be held.
    Unfit,
}

/// Numbers of the core schema: decimal, `0o` and `0x` integers, floats, `.inf` and `.nan`.
pub(crate) fn number(text: &str) -> Number {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    if matches!(unsigned, ".inf" | ".Inf" | ".INF") || matches!(text, ".nan" | ".NaN" | ".NAN") {
        return Number::Unfit;
    }
    for (prefix, radix) in [("0o", 8), ("0x", 16)] {
        if let Some(digits) = text
            .strip_prefix(prefix)
            .filter(|digits| digits.chars().all(|c| c.is_digit(radix)))
        {
            return if digits.is_empty() {
                Number::No
            } else {
                i64::from_str_radix(digits, radix).map_or(Number::Unfit, Number::Int)
            };
        }
    }
    let digits = |part: &str| part.chars().all(|c| c.is_ascii_digit());
    if !unsigned.is_empty() && digits(unsigned) {
        return text.parse::<i64>().map_or(Number::Unfit, Number::Int);
    }
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (
            mantissa,
            Some(exponent.strip_prefix(['-', '+']).unwrap_or(exponent)),
        ),
        None => (unsigned, None),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let is_float = digits(whole)
        && digits(fraction)
        && !(whole.is_empty() && fraction.is_empty())
        && exponent.is_none_or(|exponent| !exponent.is_empty() && digits(exponent));
    if !is_float {
        return Number::No;
    }
    match text.parse::<f64>() {
        Ok(value) if value.is_finite() => Number::Float(value),
        _ => Number::Unfit,
    }
}
