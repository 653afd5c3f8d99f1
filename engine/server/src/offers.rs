//! Where the values to choose in a form come from: code lists of packs, records of registers, units.
//! All of it is looked up before the form is built.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use serde_json::Value as Json;
use tongban_org::Organisation;
use tongban_store::RecordRow;

use crate::api::registers;
use crate::app::App;
use crate::form::{Choice, Offers, wanted_choices};
use crate::language::Language;
use crate::problem::Problem;

/// The most records that are offered; a longer list becomes a field to type the key in.
const OFFERED_MAX: i64 = 500;

/// Values that were looked up for one form.
pub struct Lookup {
    codes: HashMap<String, Vec<Choice>>,
    chosen: HashMap<String, Vec<Choice>>,
    texts: HashMap<String, String>,
    organisation: Arc<Organisation>,
    language: Language,
}

/// For whom and with which data a form is filled in.
pub struct Surroundings<'a> {
    /// The workflow that the form belongs to.
    pub workflow: &'a str,
    /// The form's data so far.
    pub form: &'a Json,
    /// The person who fills it in, or whose case it is.
    pub starter: Option<&'a str>,
    /// That person's unit.
    pub unit: Option<&'a str>,
    /// The reader's language.
    pub language: Language,
}

impl Lookup {
    /// Looks up everything that a schema offers.
    ///
    /// # Errors
    /// The database refused.
    pub async fn of(app: &App, schema: &Json, around: &Surroundings<'_>) -> Result<Self, Problem> {
        let mut codes = HashMap::new();
        for list in named(schema, "x-code") {
            if let Some(entries) = app
                .runtime
                .code_list(around.workflow, &list, around.language.tag())
                .await?
            {
                let choices = entries
                    .into_iter()
                    .map(|(code, title)| Choice::new(code, title))
                    .collect();
                codes.insert(list, choices);
            }
        }
        let mut chosen = HashMap::new();
        for wanted in wanted_choices(schema) {
            if let Some(choices) = choices_of(app, &wanted.choose, around).await? {
                chosen.insert(wanted.path, choices);
            }
        }
        let texts = texts_of(app, schema, around).await?;
        Ok(Self {
            codes,
            chosen,
            texts,
            organisation: app.organisation(),
            language: around.language,
        })
    }
}

impl Offers for Lookup {
    fn code(&self, list: &str) -> Option<Vec<Choice>> {
        self.codes.get(list).cloned()
    }

    fn chosen(&self, path: &str) -> Option<Vec<Choice>> {
        self.chosen.get(path).cloned()
    }

    fn text(&self, reference: &str) -> Option<String> {
        self.texts.get(reference).cloned()
    }

    fn units(&self, level: Option<&str>) -> Vec<Choice> {
        let units = self
            .organisation
            .units()
            .filter(|unit| level.is_none_or(|level| unit.level == level));
        units
            .map(|unit| {
                let english = unit
                    .name_en
                    .as_deref()
                    .filter(|_| self.language == Language::English);
                Choice::new(unit.id.clone(), english.unwrap_or(&unit.name))
            })
            .collect()
    }
}

/// The pack's texts that a schema names, as HTML: in the reader's language where there is one.
async fn texts_of(
    app: &App,
    schema: &Json,
    around: &Surroundings<'_>,
) -> Result<HashMap<String, String>, Problem> {
    let references = named(schema, "x-text");
    let mut texts = HashMap::new();
    if references.is_empty() {
        return Ok(texts);
    }
    let node = app.runtime.node();
    let ready = node.bundles.find(node, around.workflow, None).await?;
    for reference in references {
        let file = |language: &str| {
            ready
                .bundle
                .files
                .get(&format!("{reference}.{language}.md"))
        };
        if let Some(source) = file(around.language.tag()).or_else(|| file(Language::Chinese.tag()))
        {
            texts.insert(reference, html(source));
        }
    }
    Ok(texts)
}

/// Markdown as HTML. What is HTML in it is shown as text, and links lead to the web only.
fn html(markdown: &str) -> String {
    use pulldown_cmark::{CowStr, Event, Parser, Tag};
    let events = Parser::new(markdown).map(|event| match event {
        Event::Html(text) | Event::InlineHtml(text) => Event::Text(text),
        Event::Start(Tag::Link {
            link_type,
            dest_url,
            title,
            id,
        }) => {
            let plain = ["https://", "http://", "mailto:", "/"]
                .iter()
                .any(|start| dest_url.starts_with(start));
            let dest_url = if plain { dest_url } else { CowStr::from("#") };
            Event::Start(Tag::Link {
                link_type,
                dest_url,
                title,
                id,
            })
        }
        Event::Start(Tag::Image { .. }) => Event::Start(Tag::Emphasis),
        Event::End(pulldown_cmark::TagEnd::Image) => Event::End(pulldown_cmark::TagEnd::Emphasis),
        other => other,
    });
    let mut html = String::new();
    pulldown_cmark::html::push_html(&mut html, events);
    html
}

/// What a schema names by a keyword, wherever it stands.
fn named(schema: &Json, keyword: &str) -> BTreeSet<String> {
    let mut lists = BTreeSet::new();
    let mut open = vec![schema];
    while let Some(node) = open.pop() {
        match node {
            Json::Object(members) => {
                if let Some(list) = members.get(keyword).and_then(Json::as_str) {
                    lists.insert(list.to_owned());
                }
                open.extend(members.values());
            }
            Json::Array(items) => open.extend(items),
            _ => {}
        }
    }
    lists
}

/// The values of one `x-choose`: records of a register, or entries of a list inside one record.
async fn choices_of(
    app: &App,
    choose: &Json,
    around: &Surroundings<'_>,
) -> Result<Option<Vec<Choice>>, Problem> {
    let text = |name: &str| choose.get(name).and_then(Json::as_str);
    // A list of choices asks for no purpose and leaves no trace: nobody's personal data are offered.
    if let Some(register) = text("record").or(text("register"))
        && registers::definition(app, register)
            .await?
            .is_none_or(|definition| definition.personal)
    {
        return Ok(None);
    }
    if let (Some(register), Some(of), Some(path)) = (text("record"), text("of"), text("path")) {
        let Some(key) = at(around.form, of).and_then(Json::as_str) else {
            return Ok(Some(Vec::new()));
        };
        let record = app
            .store()
            .record(register, key)
            .await
            .map_err(Problem::from)?;
        let body: Json = record
            .and_then(|row| serde_json::from_str(&row.body).ok())
            .unwrap_or_default();
        return Ok(Some(entries(&body, path)));
    }
    let Some(register) = text("register") else {
        return Ok(None);
    };
    let rows = app
        .store()
        .record_find(register, &[], "", OFFERED_MAX + 1)
        .await
        .map_err(Problem::from)?;
    if rows.len() as i64 > OFFERED_MAX {
        return Ok(None);
    }
    let conditions = choose.get("where").and_then(Json::as_object);
    let conditions: Vec<(&str, Json)> = conditions
        .into_iter()
        .flatten()
        .map(|(path, wanted)| (path.as_str(), filled(wanted, around)))
        .collect();
    let label = text("label");
    Ok(Some(
        rows.iter()
            .filter_map(|row| choice(row, &conditions, label))
            .collect(),
    ))
}

/// A record as a choice, when it fits the conditions.
fn choice(row: &RecordRow, conditions: &[(&str, Json)], label: Option<&str>) -> Option<Choice> {
    let body: Json = serde_json::from_str(&row.body).ok()?;
    let fits = conditions
        .iter()
        .all(|(path, wanted)| at(&body, path).unwrap_or(&Json::Null) == wanted);
    let name = label
        .and_then(|label| at(&body, label))
        .and_then(Json::as_str);
    let shown = name.map_or_else(|| row.id.clone(), |name| format!("{name}({})", row.id));
    fits.then(|| Choice::new(row.id.clone(), shown))
}

/// Puts the values of `x-default` in place as `default`, where they can be told before anything was asked.
pub fn with_defaults(schema: &Json, around: &Surroundings<'_>, identity: Option<&Json>) -> Json {
    match schema {
        Json::Object(members) => {
            let mut filled_in: serde_json::Map<String, Json> = members
                .iter()
                .map(|(name, value)| (name.clone(), with_defaults(value, around, identity)))
                .collect();
            if let Some(wanted) = members.get("x-default") {
                let own = wanted
                    .as_str()
                    .is_some_and(|text| text.contains("workflow.starter.identity"));
                let value = if own {
                    identity.cloned().unwrap_or_default()
                } else {
                    filled(wanted, around)
                };
                if !value.is_null() {
                    filled_in.insert("default".to_owned(), value);
                }
            }
            Json::Object(filled_in)
        }
        Json::Array(items) => Json::Array(
            items
                .iter()
                .map(|item| with_defaults(item, around, identity))
                .collect(),
        ),
        other => other.clone(),
    }
}

/// A condition's value: plain, or `${ workflow.starter.unit }`, `${ workflow.starter.user }`, `${ form.FIELD }`.
fn filled(wanted: &Json, around: &Surroundings<'_>) -> Json {
    let inner = wanted
        .as_str()
        .and_then(|text| text.trim().strip_prefix("${")?.strip_suffix('}'));
    let Some(path) = inner.map(str::trim) else {
        return wanted.clone();
    };
    let text =
        |value: Option<&str>| value.map_or(Json::Null, |value| Json::String(value.to_owned()));
    match path {
        "workflow.starter.unit" => text(around.unit),
        "workflow.starter.user" => text(around.starter),
        _ => path
            .strip_prefix("form.")
            .and_then(|path| at(around.form, path))
            .cloned()
            .unwrap_or_default(),
    }
}

/// The value at a path of names.
fn at<'a>(value: &'a Json, path: &str) -> Option<&'a Json> {
    path.split('.')
        .try_fold(value, |value, name| value.get(name))
}

/// The texts at a path such as `items[].name`.
fn entries(body: &Json, path: &str) -> Vec<Choice> {
    let mut found = vec![body];
    for step in path.split('.') {
        let (name, each) = step
            .strip_suffix("[]")
            .map_or((step, false), |name| (name, true));
        found = found
            .into_iter()
            .filter_map(|value| value.get(name))
            .collect();
        if each {
            found = found
                .into_iter()
                .filter_map(Json::as_array)
                .flatten()
                .collect();
        }
    }
    found
        .into_iter()
        .filter_map(Json::as_str)
        .map(|text| Choice::new(text, text))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn code_lists_are_found_wherever_they_stand() {
        let schema = json!({ "properties": { "a": { "x-code": "purpose" }, "b": { "items": { "properties": { "c": { "x-code": "catalogue/mode" } } } } } });
        assert_eq!(
            named(&schema, "x-code").into_iter().collect::<Vec<_>>(),
            ["catalogue/mode", "purpose"]
        );
    }

    #[test]
    fn texts_of_packs_bring_no_markup_of_their_own() {
        let shown =
            html("**同意** <script>alert(1)</script> [x](javascript:alert(1)) ![y](http://z/)");
        assert!(
            shown.contains("<strong>同意</strong>")
                && !shown.contains("<script")
                && !shown.contains("javascript:")
                && !shown.contains("<img"),
            "{shown}"
        );
    }

    #[test]
    fn entries_of_lists_inside_a_record_become_choices() {
        let body = json!({ "items": [{ "name": "姓名" }, { "name": "证件号" }, { "other": 1 }] });
        let labels: Vec<_> = entries(&body, "items[].name")
            .into_iter()
            .map(|choice| choice.label)
            .collect();
        assert_eq!(labels, ["姓名", "证件号"]);
    }

    #[test]
    fn conditions_take_the_starter_and_the_form() {
        let form = json!({ "provider": "police" });
        let around = Surroundings {
            workflow: "w",
            form: &form,
            starter: Some("li-na"),
            unit: Some("transport"),
            language: Language::Chinese,
        };
        assert_eq!(
            filled(&json!("${ workflow.starter.unit }"), &around),
            json!("transport")
        );
        assert_eq!(
            filled(&json!("${ form.provider }"), &around),
            json!("police")
        );
        assert_eq!(filled(&json!("live"), &around), json!("live"));
        assert_eq!(filled(&json!("${ env.HOME }"), &around), Json::Null);
    }

    #[test]
    fn a_record_is_offered_only_where_all_conditions_hold() {
        let row = RecordRow {
            id: "R1".into(),
            body: json!({ "name": "人口", "status": "live" }).to_string(),
            ..RecordRow::default()
        };
        let live = [("status", json!("live"))];
        assert_eq!(
            choice(&row, &live, Some("name"))
                .map(|choice| choice.label)
                .as_deref(),
            Some("人口(R1)")
        );
        assert!(choice(&row, &[("status", json!("withdrawn"))], None).is_none());
        assert!(choice(&row, &[("provider", json!("police"))], None).is_none());
    }
}
