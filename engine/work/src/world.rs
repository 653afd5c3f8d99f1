//! What the desk may look at: the time, the organisation, the case and its
//! forms. All of it is given with every call; the desk keeps none of it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tongban_expr::Value;
use tongban_org::Organisation;

/// The surroundings of one call.
#[derive(Clone, Copy)]
pub struct World<'a> {
    /// The instant of the activation.
    pub now_ms: i64,
    /// The organisation as it is now.
    pub org: &'a Organisation,
    /// The case.
    pub case: &'a CaseFacts,
    /// The forms and code lists of the bundle.
    pub forms: &'a dyn Forms,
}

/// The facts of a case that people's work depends on.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CaseFacts {
    /// The instance's id.
    pub id: String,
    /// The case number; empty when the process gives none.
    pub number: String,
    /// The title.
    pub title: String,
    /// The process in full, `sharing/apply`.
    pub workflow: String,
    /// Where people see the case.
    pub url: String,
    /// Whoever started it; none for the system.
    pub starter: Option<String>,
    /// The unit on whose behalf it was started.
    pub unit: Option<String>,
    /// The current form, as the next decision would change it.
    pub form: Value,
    /// The schema of the start form: a reference into the bundle or a schema.
    pub form_ref: Option<Value>,
    /// Whom the applicant or a step chose, by the path of the task.
    #[serde(default)]
    pub chosen: BTreeMap<String, Vec<String>>,
}

/// Something that is wrong with what a person filled in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FormFault {
    /// The field's path; empty for the whole form.
    pub field: String,
    /// The rule that was broken: `required`, `x-check` …
    pub keyword: String,
    /// The text in Chinese.
    pub zh: String,
    /// The text in English.
    pub en: String,
    /// A warning does not stop a submission, but wants a statement.
    pub warning: bool,
}

impl FormFault {
    /// A field that must be filled in.
    pub fn required(field: &str) -> Self {
        Self {
            field: field.to_owned(),
            keyword: "required".to_owned(),
            zh: "必须填写".to_owned(),
            en: "must be filled in".to_owned(),
            warning: false,
        }
    }
}

/// The forms and code lists of the case's bundle. A form is named by its path
/// or given as a schema (`form: '${ steps.sample.record.form }'`).
pub trait Forms {
    /// The schema of a form.
    fn schema(&self, form: &Value) -> Option<Value>;

    /// What is wrong with the data; `check` names a rule file besides the form's own.
    fn faults(
        &self,
        form: &Value,
        check: Option<&str>,
        data: &Value,
        case: &CaseFacts,
    ) -> Vec<FormFault>;

    /// The data with every declared property present.
    fn completed(&self, _form: &Value, data: &Value) -> Value {
        data.clone()
    }

    /// A code list with its titles; none when it does not exist.
    fn codes(&self, list: &str) -> Option<Vec<(String, String)>>;

    /// Who decided a step of another case (`except: [{ decided, of }]`).
    fn decided(&self, _step: &str, _of: &str) -> Vec<String> {
        Vec::new()
    }

    /// Whether all cases that share these search fields have arrived at the
    /// step or ended (`batch: { by, opens: complete }`). While it is false the
    /// item is held; the caller then calls [`crate::Desk::release`] later.
    fn batch_complete(&self, _place: &str, _by: &[String]) -> bool {
        true
    }
}
