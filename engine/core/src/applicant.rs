//! The virtual task before the first: the applicant corrects the form.

use std::sync::Arc;

use tongban_expr::Value;

use crate::complete::CORRECTION;
use crate::effect::{Effect, RecordStatus, Why};
use crate::event::Jump;
use crate::frame::ROOT;
use crate::instance::{APPLICANT, AtApplicant};
use crate::machine::Machine;
use crate::schema::completed;

impl Machine<'_> {
    /// Asks the applicant to correct the form.
    pub(crate) fn ask_applicant(&mut self, jump: &Jump) {
        self.instance.applicant_entries += 1;
        let run_id: Arc<str> = match self.instance.applicant_entries {
            1 => APPLICANT.into(),
            n => format!("{APPLICANT}#{n}").into(),
        };
        self.instance.applicant = Some(AtApplicant {
            run_id: run_id.clone(),
            since_ms: self.now_ms,
        });
        self.note_applicant(RecordStatus::Started, &run_id);
        let (place, ground) = (APPLICANT.to_owned(), CORRECTION.to_owned());
        self.effects.push(Effect::GroundEnter {
            place,
            ground,
            basis: None,
        });
        self.effects.push(Effect::AskApplicant {
            run_id: run_id.to_string(),
            fields: jump.fields.clone(),
            comment: jump.comment.clone(),
            by: jump.by.clone(),
        });
    }

    /// The applicant has sent the form: the flow enters the first task with it.
    pub(crate) fn applicant_answered(&mut self) {
        let Some(asked) = self.instance.applicant.take() else {
            return;
        };
        self.note_applicant(RecordStatus::Completed, &asked.run_id);
        self.leave_correction();
        let form = self.instance.form.value();
        let Some(scope) = self.scope_of(ROOT) else {
            return;
        };
        match self.program.scope(scope).tasks.first() {
            Some(first) => self.due(ROOT, *first, form),
            None => self.finish_workflow(form),
        }
    }

    /// He is asked no more.
    pub(crate) fn close_applicant(&mut self, why: Why) {
        let Some(asked) = self.instance.applicant.take() else {
            return;
        };
        if self.quiet {
            return;
        }
        self.note_applicant(RecordStatus::Cancelled, &asked.run_id);
        self.effects.push(Effect::Withdraw {
            run_id: asked.run_id.to_string(),
            why,
        });
        self.leave_correction();
    }

    fn leave_correction(&mut self) {
        self.effects.push(Effect::GroundLeave {
            place: APPLICANT.to_owned(),
            ground: CORRECTION.to_owned(),
        });
    }

    fn note_applicant(&mut self, status: RecordStatus, run_id: &str) {
        let record = self.record_instance(status, None);
        record.run_id = run_id.to_owned();
        record.path = APPLICANT.to_owned();
        record.kind = "applicant".to_owned();
    }

    /// A new version of the form, every declared property present.
    pub(crate) fn set_form(&mut self, form: Value) {
        let schema = self
            .program
            .input_schema
            .as_ref()
            .filter(|_| self.program.input_from.is_none());
        let form = match schema {
            Some(schema) => completed(&schema.document, form),
            None => form,
        };
        self.instance.form = form.into();
        self.instance.form_version += 1;
    }
}
