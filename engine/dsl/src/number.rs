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

/// Units that offices write behind a number.
const UNITS: &[&str] = &[
    "元",
    "元整",
    "人民币",
    "%",
    "％",
    "天",
    "日",
    "个工作日",
    "工作日",
    "个月",
    "年",
    "岁",
    "周岁",
    "人",
    "户",
    "次",
    "件",
    "份",
    "平方米",
    "平米",
    "㎡",
    "m²",
    "m2",
    "rmb",
    "cny",
    "yuan",
    "days",
    "day",
    "years",
    "months",
];

/// The number that a text with commas or a unit means: `30,000元`, `3万元`, `80%`, `¥ 1,200.50`.
#[must_use]
pub fn meant(text: &str) -> Option<String> {
    let text = text.trim();
    let text = text.trim_start_matches(['¥', '￥', '$']).trim_start();
    let end = text
        .find(|c: char| !c.is_ascii_digit() && !matches!(c, ',' | '，' | '.'))
        .unwrap_or(text.len());
    let (figure, unit) = text.split_at(end);
    let unit = unit.trim().to_lowercase();
    let (tens, unit) = match (unit.strip_prefix('万'), unit.strip_prefix('亿')) {
        (Some(rest), _) => (10_000, rest),
        (None, Some(rest)) => (100_000_000, rest),
        _ => (1, unit.as_str()),
    };
    if !unit.is_empty() && !UNITS.contains(&unit) {
        return None;
    }
    let mut groups = figure.split([',', '，']);
    let first = groups.next().filter(|first| !first.is_empty())?;
    let grouped = first.len() <= 3;
    for group in groups {
        let whole = group.split('.').next().unwrap_or(group);
        if !grouped || whole.len() != 3 {
            return None;
        }
    }
    let plain: String = figure
        .chars()
        .filter(|c| !matches!(c, ',' | '，'))
        .collect();
    match number(&plain) {
        Number::Int(count) => count.checked_mul(tens).map(|count| count.to_string()),
        Number::Float(_) if tens == 1 => Some(plain),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::meant;

    #[test]
    fn numbers_as_offices_write_them() {
        for (text, number) in [
            ("30,000元", Some("30000")),
            ("80%", Some("80")),
            ("3 万元", Some("30000")),
            ("￥1,200.50", Some("1200.50")),
            ("10个工作日", Some("10")),
            ("3,00元", None),
            ("第3天", None),
            ("1.2.3", None),
            ("2026-01-31", None),
            ("5栋", None),
        ] {
            assert_eq!(meant(text).as_deref(), number, "{text}");
        }
    }
}
