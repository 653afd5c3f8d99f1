//! Handing work on from its page: to somebody else for good, for an opinion, or to one more signer.

use serde_json::Value as Json;
use tongban_org::Organisation;
use tongban_work::{AddWhen, ItemView, What};

use super::decide::{PageFault, Reading};
use super::posted::Posted;
use crate::app::App;
use crate::language::{InWords, Language};
use crate::words::{Words, fill};

/// Colleagues that the page proposes; any name may be typed.
const PROPOSED_MAX: usize = 200;

/// What the part of the page for handing on needs.
pub struct Handing {
    /// The ways that are open: what is posted, what people read.
    pub ways: Vec<(&'static str, &'static str)>,
    /// Colleagues to choose from: account and name.
    pub people: Vec<(String, String)>,
}

impl Handing {
    /// The ways that are open to a viewer; none when there is none.
    pub fn of(app: &App, view: &ItemView, language: Language) -> Option<Self> {
        let words = language.words();
        let may = |word: &str| view.may.iter().any(|held| held == word);
        let mut ways = Vec::new();
        if may("transfer") {
            ways.push(("transfer", words.hand_transfer));
        }
        if may("delegate") {
            ways.push(("delegate", words.hand_delegate));
        }
        if may("addSigner") {
            ways.push(("before", words.hand_before));
            ways.push(("after", words.hand_after));
            ways.push(("beside", words.hand_beside));
        }
        (!ways.is_empty()).then(|| Self {
            ways,
            people: colleagues(app, &view.waits_for),
        })
    }
}

/// People of the units of those who are asked.
pub fn colleagues(app: &App, asked: &[String]) -> Vec<(String, String)> {
    let organisation = app.organisation();
    let unit_of = |id: &String| organisation.person(id)?.unit.clone();
    let units: Vec<String> = asked.iter().filter_map(unit_of).collect();
    let here = organisation.people().filter(|person| {
        let unit = person.unit.as_ref();
        unit.is_some_and(|unit| units.contains(unit))
            && !asked.contains(&person.id)
            && organisation.is_here(&person.id, app.now_ms())
    });
    here.take(PROPOSED_MAX)
        .map(|person| (person.id.clone(), person.name.clone()))
        .collect()
}

/// Reads a post of this part of the page; `None` when it is of another part.
pub fn read(app: &App, posted: &Posted, data: &Json, language: Language) -> Option<Reading> {
    let words = language.words();
    let faulty = |id: &str, message: &str| Reading::Faulty {
        data: data.clone(),
        fields: Vec::new(),
        page: vec![PageFault::new(id, message)],
    };
    if let Some(who) = posted.filled("_remove-signer") {
        return Some(Reading::Act(What::RemoveSigner { who }));
    }
    if posted.text("_act") != "hand" {
        return None;
    }
    let found = person(
        &app.organisation(),
        posted.text("_who"),
        app.now_ms(),
        words,
    );
    let to = match found {
        Ok(to) => to,
        Err(message) => return Some(faulty("hand-who", &message)),
    };
    let comment = posted.filled("_comment");
    let add = |when: AddWhen, who: String, comment: Option<String>| What::AddSigner {
        who,
        when,
        comment,
    };
    Some(match posted.text("_way") {
        "transfer" => Reading::Act(What::Transfer { to, comment }),
        "delegate" => Reading::Act(What::Delegate { to, comment }),
        "before" => Reading::Act(add(AddWhen::Before, to, comment)),
        "after" => Reading::Act(add(AddWhen::After, to, comment)),
        "beside" => Reading::Act(add(AddWhen::Beside, to, comment)),
        _ => faulty("hand-way", words.hand_way_missing),
    })
}

/// The account of the person who was typed, by account or by a name that one person has.
///
/// # Errors
/// Nobody is meant, or several people, in words.
pub fn person(
    organisation: &Organisation,
    typed: &str,
    now_ms: i64,
    words: &'static Words,
) -> Result<String, String> {
    if organisation.is_here(typed, now_ms) {
        return Ok(typed.to_owned());
    }
    let here = organisation
        .people()
        .filter(|person| person.name == typed && organisation.is_here(&person.id, now_ms));
    let ids: Vec<&str> = here.map(|person| person.id.as_str()).collect();
    match ids.as_slice() {
        [one] => Ok((*one).to_owned()),
        [] => Err(words.hand_missing.to_owned()),
        several => Err(fill(words.hand_several, &[("ids", &several.join("、"))])),
    }
}
