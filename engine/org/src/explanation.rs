//! How a deadline came about, step by step, in the words of both languages.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::Language;

/// One step of the way from the start to the deadline.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "camelCase")]
pub enum Explanation {
    /// The day of the start is not counted.
    Started {
        /// The day.
        on: Date,
    },
    /// So many days or hours were counted.
    Counted {
        /// How many, in the budget's unit.
        amount: u32,
        /// The unit's key.
        unit: String,
        /// The last day counted.
        to: Date,
    },
    /// A named holiday was left out.
    Holiday {
        /// Its name.
        name: String,
        /// The first day left out.
        from: Date,
        /// The last.
        to: Date,
    },
    /// A working day at a weekend was counted.
    MakeUp {
        /// The day.
        on: Date,
        /// The holiday it makes up for.
        name: String,
    },
    /// The clock stood still.
    Paused {
        /// Why.
        ground: String,
        /// The day it stopped.
        from: Date,
        /// The day it went on; none while it stands.
        to: Option<Date>,
    },
    /// The last day was off, so the deadline moved on.
    RolledForward {
        /// The day it would have been.
        from: Date,
        /// The next working day.
        to: Date,
        /// The holiday's name, or `weekend`.
        name: String,
    },
    /// The plan of a year is not published: weekends only.
    Provisional {
        /// The year.
        year: i16,
    },
    /// A date was given.
    Fixed {
        /// The date.
        on: Date,
    },
}

impl Explanation {
    /// The step as a sentence for people.
    pub fn text(&self, language: Language) -> String {
        match language {
            Language::Chinese => self.chinese(),
            Language::English => self.english(),
        }
    }

    fn chinese(&self) -> String {
        match self {
            Self::Started { on } => format!("{on} 起算,当日不计"),
            Self::Counted { amount, unit, to } => {
                format!("计 {amount} {},至 {to}", unit_chinese(unit))
            }
            Self::Holiday { name, from, to } => format!("{from} 至 {to} {name}放假,不计"),
            Self::MakeUp { on, name } => format!("{on} 为{name}调休上班,计入"),
            Self::Paused {
                ground,
                from,
                to: Some(to),
            } => format!("{from} 至 {to} 停表({})", ground_chinese(ground)),
            Self::Paused {
                ground,
                from,
                to: None,
            } => format!("{from} 起停表({})", ground_chinese(ground)),
            Self::RolledForward { from, to, name } if name == "weekend" => {
                format!("末日 {from} 为休息日,顺延至 {to}")
            }
            Self::RolledForward { from, to, name } => {
                format!("末日 {from} 为{name}假期,顺延至 {to}")
            }
            Self::Provisional { year } => {
                format!("{year} 年放假安排尚未公布,暂按周末计算,公布后重算")
            }
            Self::Fixed { on } => format!("指定 {on} 为截止日"),
        }
    }

    fn english(&self) -> String {
        match self {
            Self::Started { on } => format!("starts on {on}, which is not counted"),
            Self::Counted { amount, unit, to } => {
                format!("{amount} {} counted, to {to}", unit_english(unit))
            }
            Self::Holiday { name, from, to } => {
                format!("{from} to {to} is a holiday ({name}), not counted")
            }
            Self::MakeUp { on, name } => {
                format!("{on} is worked to make up for a holiday ({name}), counted")
            }
            Self::Paused {
                ground,
                from,
                to: Some(to),
            } => format!("stood still from {from} to {to} ({ground})"),
            Self::Paused {
                ground,
                from,
                to: None,
            } => format!("stands still since {from} ({ground})"),
            Self::RolledForward { from, to, name } => {
                format!("the last day {from} is off ({name}), moved to {to}")
            }
            Self::Provisional { year } => {
                format!(
                    "the holidays of {year} are not published: weekends only, to be counted again"
                )
            }
            Self::Fixed { on } => format!("{on} was given"),
        }
    }
}

fn unit_chinese(unit: &str) -> &'static str {
    match unit {
        "workingDays" => "个工作日",
        "workingHours" => "个工作小时",
        "days" => "日",
        "hours" => "小时",
        _ => "分钟",
    }
}

fn unit_english(unit: &str) -> &str {
    match unit {
        "workingDays" => "working days",
        "workingHours" => "working hours",
        other => other,
    }
}

fn ground_chinese(ground: &str) -> &str {
    match ground {
        "correction" => "补正",
        "notice" => "公示",
        "explanation" => "说明",
        "appraisal" => "鉴定",
        "hearing" => "听证",
        "suspended" => "挂起",
        other => other,
    }
}
