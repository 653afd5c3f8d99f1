//! `tongban verify`: what the tables and the audit chains promise, read back.

use std::fmt::Write as _;

use tongban_store::Verdict;

use super::accounts::existing;
use super::serving::executor;
use super::{DONE, FAILED, SiteArguments, say};
use crate::assemble::open_store_beside;

/// Reads all of a site's database, beside its server or alone; exits 0 or 1.
pub(crate) fn verify(site: &SiteArguments) -> anyhow::Result<u8> {
    let config = existing(site)?;
    let (broken, verdict) = executor()?.block_on(async {
        let store = open_store_beside(&config).await?;
        let broken = store.invariants_broken().await?;
        let verdict = store.audit_verify().await?;
        store.close().await;
        anyhow::Ok((broken, verdict))
    })?;
    let (text, whole) = told(&broken, &verdict);
    say(&text)?;
    Ok(if whole { DONE } else { FAILED })
}

/// The lines that say it, and whether everything is as it should be.
fn told(broken: &[String], verdict: &Verdict) -> (String, bool) {
    let mut text = String::new();
    // Writing to a text does not fail.
    if broken.is_empty() {
        let _ = writeln!(text, "cases: every promise of the tables holds");
    }
    for rule in broken {
        let _ = writeln!(text, "cases: {rule}");
    }
    let whole = match verdict {
        Verdict::Whole { chains, rows } => {
            let _ = writeln!(
                text,
                "audit: {rows} rows in {chains} chains, each row fits the one before it"
            );
            true
        }
        Verdict::Broken { chain, seq, why } => {
            let _ = writeln!(text, "audit: row {seq} of chain {chain}: {why}");
            false
        }
    };
    (text, whole && broken.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_is_broken_is_told_and_fails() {
        let whole = Verdict::Whole { chains: 2, rows: 9 };
        let (text, fine) = told(&[], &whole);
        assert!(fine && text.lines().count() == 2, "{text}");
        let rule = "history has gaps (I2): a".to_owned();
        let (text, fine) = told(std::slice::from_ref(&rule), &whole);
        assert!(!fine && text.contains(&rule), "{text}");
        let cut = Verdict::Broken {
            chain: "c".to_owned(),
            seq: 7,
            why: "expected row 7, found row 8".to_owned(),
        };
        let (text, fine) = told(&[], &cut);
        assert!(!fine && text.contains("row 7 of chain c"), "{text}");
    }
}
