//! The one matcher behind every "did you mean".

/// The candidate nearest to `word`, when it is near enough to have been meant.
pub(crate) fn nearest<'a>(
    word: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let lower = word.to_lowercase();
    let length = word.chars().count();
    let allowed = match length {
        0..=1 => 0,
        2..=4 => 1,
        5..=7 => 2,
        _ => 3,
    };
    candidates
        .into_iter()
        .filter_map(|candidate| {
            let other = candidate.to_lowercase();
            let same_start = length >= 3 && other.starts_with(&lower);
            let further = other.chars().count().abs_diff(length);
            if further > allowed && !same_start {
                return None;
            }
            let distance = strsim::osa_distance(&lower, &other);
            (distance <= allowed && distance < length.max(2) || same_start)
                .then_some((distance, candidate))
        })
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// `did you mean `x`?`, or the list of what there is when nothing is near and the list is short.
#[must_use]
pub fn did_you_mean<'a>(
    word: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<String> {
    let candidates: Vec<&str> = candidates.into_iter().collect();
    if let Some(near) = nearest(word, candidates.iter().copied()) {
        return Some(format!("did you mean `{near}`?"));
    }
    (!candidates.is_empty() && candidates.len() <= 14)
        .then(|| format!("expected one of {}", list(&candidates)))
}

/// Many words, of which only the first are shown.
pub(crate) fn all(words: &[&str]) -> String {
    const SHOWN: usize = 14;
    match words.get(..SHOWN) {
        Some(first) if words.len() > SHOWN + 1 => {
            let quoted: Vec<String> = first.iter().map(|word| format!("`{word}`")).collect();
            format!("{} and {} more", quoted.join(", "), words.len() - SHOWN)
        }
        _ => list(words),
    }
}

/// `a`, `b` or `c`, each in backticks.
pub(crate) fn list(words: &[&str]) -> String {
    joined(words, "or")
}

/// `a`, `b` and `c`, each in backticks.
pub(crate) fn and(words: &[&str]) -> String {
    joined(words, "and")
}

fn joined(words: &[&str], last_word: &str) -> String {
    let quoted: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
    match quoted.split_last() {
        None => String::new(),
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} {last_word} {last}", rest.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_found_and_a_stranger_is_not() {
        assert_eq!(nearest("swich", ["switch", "set", "wait"]), Some("switch"));
        assert_eq!(nearest("emial", ["email", "name"]), Some("email"));
        assert_eq!(nearest("banana", ["switch", "set", "wait"]), None);
        assert_eq!(nearest("to", ["do", "as"]), Some("do"));
    }
}
