//! Budgets of time: how long somebody has, in the unit the author chose.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use thiserror::Error;
use tongban_expr::Value;

/// A limit of time. Working units follow a calendar, the others do not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Budget {
    /// Working days; the first day is not counted and the last one is used up whole.
    WorkingDays(u32),
    /// Hours within the calendar's working hours.
    WorkingHours(u32),
    /// Calendar days; the first is not counted, a last day that is off rolls forward.
    Days(u32),
    /// Hours by the clock.
    Hours(u32),
    /// Minutes by the clock.
    Minutes(u32),
    /// The end of a date.
    Date(Date),
}

/// The largest number that a budget may have, ten years of days.
pub const BUDGET_MAX: u32 = 3_660;

/// When a rung of a clock is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Moment {
    /// This share of the budget is used, in percent; 100 is the deadline itself.
    Percent(u32),
    /// So long after the start, pauses not counted.
    After(Budget),
    /// So long before the deadline.
    Before(Budget),
}

/// A budget that cannot be read.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum BudgetError {
    /// Not one of the known units.
    #[error("expected one of workingDays, workingHours, days, hours, minutes, date; found {0}")]
    Shape(String),
    /// Not a number that a budget may have.
    #[error("`{unit}` must be a whole number from 0 to 3660, found {found}")]
    Number {
        /// The unit's key.
        unit: &'static str,
        /// What was found.
        found: String,
    },
    /// Not a date.
    #[error("`date` must be a date such as 2026-03-31, found {0}")]
    Date(String),
}

impl Budget {
    /// Reads `{ workingDays: 5 }` and its like.
    ///
    /// # Errors
    /// [`BudgetError`] says what was expected and what was found.
    pub fn parse(value: &Value) -> Result<Self, BudgetError> {
        type Make = fn(u32) -> Budget;
        let units: [(&'static str, Make); 5] = [
            ("workingDays", Budget::WorkingDays),
            ("workingHours", Budget::WorkingHours),
            ("days", Budget::Days),
            ("hours", Budget::Hours),
            ("minutes", Budget::Minutes),
        ];
        for (unit, make) in units {
            if let Some(found) = value.get(unit) {
                return whole(found).map(make).ok_or_else(|| BudgetError::Number {
                    unit,
                    found: found.to_json(),
                });
            }
        }
        match value.get("date") {
            Some(found) => date(found)
                .map(Budget::Date)
                .ok_or_else(|| BudgetError::Date(found.to_json())),
            None => Err(BudgetError::Shape(value.to_json())),
        }
    }

    /// Whether the budget is counted by a calendar's working days or hours.
    pub fn is_working(&self) -> bool {
        matches!(self, Self::WorkingDays(_) | Self::WorkingHours(_))
    }

    /// The unit's key as authors write it.
    pub fn unit(&self) -> &'static str {
        match self {
            Self::WorkingDays(_) => "workingDays",
            Self::WorkingHours(_) => "workingHours",
            Self::Days(_) => "days",
            Self::Hours(_) => "hours",
            Self::Minutes(_) => "minutes",
            Self::Date(_) => "date",
        }
    }

    /// The number, or 0 for a date.
    pub fn amount(&self) -> u32 {
        match *self {
            Self::WorkingDays(n)
            | Self::WorkingHours(n)
            | Self::Days(n)
            | Self::Hours(n)
            | Self::Minutes(n) => n,
            Self::Date(_) => 0,
        }
    }
}

impl Moment {
    /// Reads what stands under `after` of a rung.
    ///
    /// # Errors
    /// [`BudgetError`] when it is neither a percentage nor a budget.
    pub fn parse_after(value: &Value) -> Result<Self, BudgetError> {
        match value.get("percent") {
            Some(found) => whole(found)
                .map(Self::Percent)
                .ok_or_else(|| BudgetError::Number {
                    unit: "percent",
                    found: found.to_json(),
                }),
            None => Budget::parse(value).map(Self::After),
        }
    }

    /// Reads what stands under `before` of a rung.
    ///
    /// # Errors
    /// [`BudgetError`] when it is not a budget.
    pub fn parse_before(value: &Value) -> Result<Self, BudgetError> {
        Budget::parse(value).map(Self::Before)
    }
}

fn whole(value: &Value) -> Option<u32> {
    let number = match value.as_i64() {
        Some(number) => number,
        None => {
            let real = value.as_f64()?;
            (real.fract() == 0.0 && (0.0..=f64::from(BUDGET_MAX)).contains(&real))
                .then_some(real as i64)?
        }
    };
    u32::try_from(number)
        .ok()
        .filter(|number| *number <= BUDGET_MAX)
}

fn date(value: &Value) -> Option<Date> {
    let text = value.as_str()?;
    let day = text.get(..10).unwrap_or(text);
    day.parse().ok()
}
