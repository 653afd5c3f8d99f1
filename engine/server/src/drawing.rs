//! The diagram of a case: its definition drawn with what is done, going on, or not reached.

use tongban_core::Mark;
use tongban_dsl::draw::{self, Marks, Tongue};
use tongban_runtime::CaseView;

use crate::language::Language;

/// Pictures may style themselves and do nothing else.
pub const PICTURE_POLICY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'";

/// The diagram as SVG.
pub fn svg(case: &CaseView, language: Language) -> String {
    let tongue = match language {
        Language::Chinese => Tongue::Chinese,
        Language::English => Tongue::English,
    };
    let mut marks = Marks {
        tongue,
        ..Marks::default()
    };
    for (path, mark) in case.instance.marks(&case.program) {
        let mark = match mark {
            Mark::Done => draw::Mark::Done,
            Mark::Doing => draw::Mark::Doing,
            Mark::Skipped => draw::Mark::Skipped,
            Mark::Failed => draw::Mark::Failed,
            Mark::Cancelled => draw::Mark::Cancelled,
        };
        marks.by_path.insert(path, mark);
    }
    draw::draw(&case.definition, &marks)
}
