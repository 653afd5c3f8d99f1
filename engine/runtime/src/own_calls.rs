//! The engine's own reads and writes: `notify`, `case.get`, `case.reopen`, `unit.find`.

use tongban_core::Call;
use tongban_expr::{Value, value};
use tongban_org::{ResolveCase, Selector};
use tongban_plugin::Failure;
use tongban_store::InboxRow;

use crate::activation::Activation;
use crate::inputs::text;
use crate::letters::Letter;

impl Activation<'_> {
    /// 抄送: a mail, or a message in the inbox, to everybody that the selectors give.
    pub(crate) fn notify(&mut self, call: &Call) -> Result<Value, Failure> {
        let template = text(&call.args, "template").to_owned();
        if !self.ready.has_template(&template) {
            return Err(Failure::configuration(format!(
                "the bundle has no template `{template}`"
            )));
        }
        let mut people = self.people(call.args.get("to"), "to")?;
        for person in self.people(call.args.get("cc"), "cc")? {
            if !people.contains(&person) {
                people.push(person);
            }
        }
        let by_mail = channels(call.args.get("channel")).contains(&"mail");
        let id = self.id().to_owned();
        let data = call.args.get("data").cloned().unwrap_or(Value::Null);
        for person in &people {
            self.letter(Letter {
                to: person.clone(),
                template: template.clone(),
                data: data.clone(),
                item: None,
                link: None,
                by_mail,
            });
            self.out
                .party(format!("person:{person}"), &id, "copied", self.now_ms);
        }
        Ok(value!({ "messages": (i64::try_from(people.len()).unwrap_or(i64::MAX)) }))
    }

    fn people(&self, selectors: Option<&Value>, argument: &str) -> Result<Vec<String>, Failure> {
        let Some(selectors) = selectors.filter(|value| !value.is_null()) else {
            return Ok(Vec::new());
        };
        let selectors = Selector::parse_list(selectors)
            .map_err(|error| Failure::configuration(format!("`{argument}`: {error}")))?;
        let starter = &self.state.head.starter;
        let case = ResolveCase {
            applicant: (!starter.user.is_empty()).then_some(starter.user.as_str()),
            applicant_unit: starter.unit.as_deref(),
            chosen: &[],
            now_ms: self.now_ms,
        };
        Ok(self.organisation.resolve(&selectors, &case).people())
    }

    pub(crate) async fn case_get(&self, args: &Value) -> Result<Value, Failure> {
        let number = text(args, "number");
        let missing =
            || Failure::validation(format!("there is no case `{number}`")).with_status(404);
        let unavailable = |error: crate::RuntimeError| Failure::runtime(error.to_string());
        let id = self
            .node
            .instance_by_number(number)
            .await
            .map_err(unavailable)?
            .ok_or_else(missing)?;
        let case = self
            .node
            .snapshot(&id)
            .await
            .map_err(unavailable)?
            .ok_or_else(missing)?;
        let (head, flow) = (&case.state.head, &case.state.flow);
        let starter = value!({
            "user": (head.starter.user.as_str()), "name": (head.starter.name.as_str()),
            "unit": (head.starter.unit.as_deref().map_or(Value::Null, Value::from))
        });
        Ok(value!({
            "number": (head.number.as_str()),
            "title": (head.title.as_str()),
            "status": (case.status.as_str()),
            "outcome": (flow.output().get("outcome").cloned().unwrap_or(Value::Null)),
            "starter": (starter),
            "form": (flow.form().clone()),
            "steps": (flow.steps()),
            "output": (flow.output().clone())
        }))
    }

    pub(crate) async fn case_reopen(&mut self, call: &Call) -> Result<Value, Failure> {
        let number = text(&call.args, "number");
        let unavailable = |error: crate::RuntimeError| Failure::runtime(error.to_string());
        let found = self
            .node
            .instance_by_number(number)
            .await
            .map_err(unavailable)?;
        let id = found.ok_or_else(|| {
            Failure::validation(format!("there is no case `{number}`")).with_status(404)
        })?;
        let body = value!({
            "at": (text(&call.args, "at")), "reason": (text(&call.args, "reason")), "by": (self.state.head.number.as_str())
        });
        let own = format!("reopen:{}:{}", self.id(), call.run_id);
        self.tell(&id, own, "reopen", &body);
        Ok(value!({ "number": (number), "instance": (id) }))
    }

    pub(crate) fn unit_find(&self, args: &Value) -> Result<Value, Failure> {
        let under = text(args, "under");
        if self.organisation.unit(under).is_none() {
            return Err(Failure::validation(format!("there is no unit `{under}`")));
        }
        let level = args.get("level").and_then(Value::as_str);
        let units = self.organisation.units_under(under, level).into_iter().map(|unit| {
            value!({
                "id": (unit.id.as_str()), "name": (unit.name.as_str()), "level": (unit.level.as_str()),
                "parent": (unit.parent.as_deref().map_or(Value::Null, Value::from))
            })
        });
        Ok(value!({ "units": (Value::from(units.collect::<Vec<_>>())) }))
    }

    /// Tells another instance something, once, however often it is told: `id` names the cause.
    pub(crate) fn tell(&mut self, instance: &str, id: String, kind: &str, body: &Value) {
        self.out.told.push(InboxRow {
            instance_id: instance.to_owned(),
            id,
            kind: kind.to_owned(),
            body: body.to_json(),
            ready_at_ms: self.now_ms + self.node.settings.lease_ms,
        });
    }
}

fn channels(argument: Option<&Value>) -> Vec<&str> {
    match argument {
        Some(Value::Str(one)) => vec![one.as_str()],
        Some(list) if list.as_list().is_some() => list
            .as_list()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect(),
        _ => vec!["mail", "inbox"],
    }
}
