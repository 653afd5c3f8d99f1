//! Instants as people read them, in the site's zone.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::app::App;

/// A date and a time such as `2026-11-23 09:30`.
pub fn moment(zone: &TimeZone, at_ms: i64) -> String {
    shown(zone, at_ms, "%Y-%m-%d %H:%M")
}

/// A date such as `2026-11-23`.
pub fn day(zone: &TimeZone, at_ms: i64) -> String {
    shown(zone, at_ms, "%Y-%m-%d")
}

fn shown(zone: &TimeZone, at_ms: i64, format: &str) -> String {
    Timestamp::from_millisecond(at_ms)
        .map(|at| at.to_zoned(zone.clone()).strftime(format).to_string())
        .unwrap_or_default()
}

/// A deadline as lists show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Due {
    /// The last day in time.
    pub day: String,
    /// Whether it has passed.
    pub over: bool,
    /// Whether it may still change with a calendar.
    pub provisional: bool,
}

/// Words a deadline; the far end of time stands for none.
pub fn due(app: &App, at_ms: Option<i64>, provisional: bool) -> Option<Due> {
    let at_ms = at_ms.filter(|at| *at < tongban_store::NO_DUE_MS)?;
    Some(Due {
        day: day(&app.site.zone, at_ms),
        over: at_ms < app.now_ms(),
        provisional,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_are_shown_in_the_zone_of_the_site() {
        let zone = TimeZone::get("Asia/Shanghai").expect("the zone is bundled");
        assert_eq!(moment(&zone, 1_795_312_200_000), "2026-11-22 09:50");
        assert_eq!(day(&zone, 1_795_312_200_000 + 15 * 3_600_000), "2026-11-23");
    }
}
