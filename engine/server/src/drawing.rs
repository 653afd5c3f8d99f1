//! Diagrams of workflows and of cases: the definition drawn with the names that the site's people know, and for a case
//! with what is done, going on, skipped, failed or not reached.

use tongban_core::Mark;
use tongban_dsl::draw::{self, Marks, Names, Tongue};
use tongban_org::Organisation;
use tongban_runtime::CaseView;
use tongban_runtime::pack::Library;

use crate::app::App;
use crate::language::Language;
use crate::problem::Problem;

/// Pictures may style themselves and do nothing else.
pub const PICTURE_POLICY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'";

/// The diagram of a case as SVG.
pub fn svg(case: &CaseView, names: Names, language: Language) -> String {
    let marks = Marks {
        names,
        tongue: tongue(language),
        ..run_marks(case)
    };
    draw::draw(&case.definition, &marks)
}

/// What became of each task of a case.
pub fn run_marks(case: &CaseView) -> Marks {
    let mut marks = Marks::default();
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
    marks
}

/// The language of the words that a picture adds.
pub fn tongue(language: Language) -> Tongue {
    match language {
        Language::Chinese => Tongue::Chinese,
        Language::English => Tongue::English,
    }
}

/// The names of an organisation's units, posts and people.
pub fn names(organisation: &Organisation, language: Language) -> Names {
    let mut names = Names::default();
    for unit in organisation.units() {
        let english = unit
            .name_en
            .as_ref()
            .filter(|_| language == Language::English);
        let name = english.unwrap_or(&unit.name);
        names.units.insert(unit.id.clone(), name.clone());
    }
    for post in organisation.posts() {
        names.roles.insert(post.id.clone(), post.title.clone());
    }
    for person in organisation.people() {
        names.people.insert(person.id.clone(), person.name.clone());
    }
    names
}

/// Adds the titles of the roles of packs.
pub fn add_roles(names: &mut Names, library: &Library, language: Language) {
    for pack in library.packs() {
        let roles = pack.manifest.roles.iter();
        names.roles.extend(
            roles.map(|(role, title)| (role.clone(), title.text(language.tag()).to_owned())),
        );
    }
}

/// The names of a running site: its organisation's and the titles of the roles of what is published.
///
/// # Errors
/// The database refused.
pub async fn names_of_site(app: &App, language: Language) -> Result<Names, Problem> {
    let mut names = names(&app.runtime.organisation(), language);
    let roles = app.runtime.role_titles(language.tag()).await?;
    names.roles.extend(roles);
    Ok(names)
}
