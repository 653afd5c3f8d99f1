//! `listen`: what is heard, what it becomes, and when it is enough.

use tongban_dsl::definition::Read;
use tongban_expr::Value;

use crate::effect::{Effect, Filter, Record, RecordStatus};
use crate::enter::Outcome;
use crate::error::Error;
use crate::evaluate::Moment;
use crate::frame::{FrameId, Line, Listening, State};
use crate::held::Held;
use crate::listening::{EventFilter, correlation_value, data_of, expected, fits, raw_data_of};
use crate::machine::Machine;
use crate::program::{Body, Consumption, Foreach, How, Listen};

impl Consumption {
    /// The filter of a number; those of `until` come after the others.
    fn filter(&self, n: usize) -> Option<&EventFilter> {
        match (self.filters.get(n), &self.how) {
            (Some(filter), _) => Some(filter),
            (None, How::UntilConsumed(inner)) => inner.filter(n - self.filters.len()),
            (None, _) => None,
        }
    }

    fn all_filters(&self) -> Vec<&EventFilter> {
        let inner = match &self.how {
            How::UntilConsumed(inner) => inner.all_filters(),
            _ => Vec::new(),
        };
        self.filters.iter().chain(inner).collect()
    }

    /// Whether these numbers, counted from `first`, are all that is wanted.
    fn satisfied(&self, heard: &[u32], first: usize) -> bool {
        let has = |n: usize| heard.iter().any(|heard| *heard as usize == first + n);
        match &self.how {
            How::All => (0..self.filters.len()).all(has),
            How::UntilConsumed(inner) => inner.satisfied(heard, first + self.filters.len()),
            How::One | How::Any => (0..self.filters.len()).any(has),
            How::Until(_) | How::Never => false,
        }
    }
}

impl Listen {
    /// Whether events are tied to the activation by values of theirs.
    fn correlates(&self) -> bool {
        let filters = self.to.all_filters();
        filters.iter().any(|filter| !filter.correlate.is_empty())
    }
}

impl Machine<'_> {
    /// The record of the listener's begin says that it correlates.
    fn note_correlation(&mut self, id: FrameId) {
        let run_id = self.instance.run_id_of(id);
        let begun = |record: &&mut Record| {
            record.status == RecordStatus::Started && record.run_id == run_id
        };
        if let Some(record) = self.records.iter_mut().rev().find(begun) {
            record.correlation = Some(Value::Null);
        }
    }

    /// The values that tied events to a listener, by key; `None` when it did not correlate.
    pub(crate) fn correlation_of(&self, id: FrameId) -> Option<Value> {
        let Body::Listen(body) = &self.task_of(id).body else {
            return None;
        };
        let listening = self.listening(id).filter(|_| body.correlates())?;
        // An expected value is kept under the number of its filter too.
        let keys = listening.correlated.iter().map(|(key, value)| {
            let name = key.split_once(':').map_or(key.as_str(), |(_, name)| name);
            (name, value.clone())
        });
        Some(Value::object(keys))
    }

    pub(crate) fn start_listening(
        &mut self,
        id: FrameId,
        body: &Listen,
        input: &Value,
    ) -> Result<Outcome, Error> {
        let run_id = self.instance.run_id_of(id);
        let mut listening = Listening {
            run_id: run_id.into(),
            consumed: Vec::new(),
            heard: Vec::new(),
            correlated: std::collections::BTreeMap::new(),
            queue: Vec::new(),
            item: None,
            index: 0,
            closed: false,
            line: Line::default(),
        };
        let moment = Moment::definition(id, input);
        for (n, filter) in body.to.all_filters().into_iter().enumerate() {
            for key in &filter.correlate {
                if let Some(expect) = &key.expect {
                    listening
                        .correlated
                        .insert(format!("{n}:{}", key.name), self.fill(expect, &moment)?);
                }
            }
        }
        let correlates = body.correlates();
        self.set_state(id, State::Listen(Box::new(listening)));
        if correlates {
            self.note_correlation(id);
        }
        self.subscribe(id, body);
        Ok(Outcome::Lives)
    }

    /// Asks for the events of a listener.
    pub(crate) fn subscribe(&mut self, id: FrameId, body: &Listen) {
        let Some(listening) = self.listening(id) else {
            return;
        };
        let filters = body
            .to
            .all_filters()
            .into_iter()
            .enumerate()
            .filter_map(|(n, filter)| {
                let shape = self.program.shapes.get(filter.shape)?;
                let values: Vec<Value> = expected(&filter.correlate)
                    .filter_map(|key| {
                        listening
                            .correlated
                            .get(&format!("{n}:{}", key.name))
                            .cloned()
                    })
                    .collect();
                Some(Filter {
                    n: u32::try_from(n).ok()?,
                    event_type: shape.event_type.clone(),
                    shape: shape.id.clone(),
                    value: correlation_value(&values),
                })
            });
        let effect = Effect::Listen {
            run_id: listening.run_id.to_string(),
            filters: filters.collect(),
        };
        self.effects.push(effect);
    }

    fn listening(&self, id: FrameId) -> Option<&Listening> {
        match self.instance.doing(id) {
            Some(State::Listen(listening)) => Some(listening),
            _ => None,
        }
    }

    fn listening_mut(&mut self, id: FrameId) -> Option<&mut Listening> {
        match self.instance.doing_mut(id) {
            Some(State::Listen(listening)) => Some(listening),
            _ => None,
        }
    }

    /// Whether a listener wants an event; gives the correlation values that the event fixes.
    pub(crate) fn wants_event(
        &self,
        id: FrameId,
        n: u32,
        event: &Value,
    ) -> Option<Vec<(String, Value)>> {
        let Body::Listen(body) = &self.task_of(id).body else {
            return None;
        };
        let listening = self.listening(id).filter(|listening| !listening.closed)?;
        let filter = body.to.filter(n as usize)?;
        if matches!(body.to.how, How::All) && listening.heard.contains(&n) {
            return None;
        }
        let input = self.instance.frames.get(&id)?.input.value();
        let moment = Moment::definition(id, &input);
        for (name, pattern) in &filter.attributes {
            let fitting = fits(pattern, event.get(name), &mut |code, argument| {
                self.eval(code, &moment.on(argument))
            });
            // An event that a filter cannot be asked about does not fit it.
            if !fitting.unwrap_or(false) {
                return None;
            }
        }
        let mut fixed = Vec::new();
        for key in &filter.correlate {
            let value = self.eval(&key.from, &moment.on(event)).ok()?;
            let known = listening.correlated.get(&format!("{n}:{}", key.name));
            match known.or_else(|| listening.correlated.get(&*key.name)) {
                Some(known) if *known == value => {}
                Some(_) => return None,
                None => fixed.push((key.name.to_string(), value)),
            }
        }
        Some(fixed)
    }

    /// The filter of `until` that an event fits: whichever filter it came by, it ends the listening and is none of the output.
    fn of_until(&mut self, id: FrameId, body: &Listen, event: &Value) -> Option<u32> {
        let first = body.to.filters.len();
        let all = body.to.all_filters().len();
        (first..all)
            .filter_map(|n| u32::try_from(n).ok())
            .find(|n| self.wants_event(id, *n, event).is_some())
    }

    /// An event came: it is consumed when the listener wants it.
    pub(crate) fn hear(&mut self, id: FrameId, n: u32, event: &Value) {
        let Body::Listen(body) = &self.task_of(id).body else {
            return;
        };
        let n = self.of_until(id, body, event).unwrap_or(n);
        let Some(fixed) = self.wants_event(id, n, event) else {
            return;
        };
        self.consumed = true;
        self.record(id, RecordStatus::Heard).note = event.text("id").map(str::to_owned);
        let of_until = n as usize >= body.to.filters.len();
        let value = match body.read {
            Read::Data => data_of(event),
            Read::Envelope => event.clone(),
            Read::Raw => raw_data_of(event),
        };
        let Some(listening) = self.listening_mut(id) else {
            return;
        };
        listening.correlated.extend(fixed);
        listening.heard.retain(|heard| *heard != n);
        listening.heard.push(n);
        if !of_until {
            match &body.foreach {
                Some(_) => listening.queue.push(value.into()),
                None => listening.consumed.push(value.into()),
            }
        }
        if body.to.satisfied(&listening.heard, 0) {
            self.close_listener(id);
        }
        self.after_event(id, body);
    }

    /// Looks whether the listener is through, and goes on with the queue.
    fn after_event(&mut self, id: FrameId, body: &Listen) {
        if body.foreach.is_none() && !self.condition_met(id, body) {
            return;
        }
        match &body.foreach {
            None => self.finish_listening(id),
            Some(foreach) => self.next_item(id, foreach),
        }
    }

    /// `until`, asked on what has been consumed so far. `false` also when it failed: then the task has faulted.
    fn condition_met(&mut self, id: FrameId, body: &Listen) -> bool {
        let Some(listening) = self.listening(id) else {
            return false;
        };
        if listening.closed {
            return true;
        }
        let How::Until(condition) = &body.to.how else {
            return false;
        };
        let consumed = Value::list(listening.consumed.iter().map(Held::value).collect());
        let input = self.instance.input_of(id);
        match self.holds(condition, &Moment::definition(id, &input).on(&consumed)) {
            Ok(true) => {
                self.close_listener(id);
                true
            }
            Ok(false) => false,
            Err(error) => {
                self.fault(id, error);
                false
            }
        }
    }

    fn close_listener(&mut self, id: FrameId) {
        let Some(listening) = self.listening_mut(id) else {
            return;
        };
        listening.closed = true;
        let run_id = listening.run_id.to_string();
        self.effects.push(Effect::Unlisten { run_id });
    }

    fn finish_listening(&mut self, id: FrameId) {
        let Some(listening) = self.listening(id) else {
            return;
        };
        let consumed = Value::list(listening.consumed.iter().map(Held::value).collect());
        self.complete(id, consumed, None);
    }

    /// Begins the next event of the queue, unless one is being worked on.
    fn next_item(&mut self, id: FrameId, foreach: &Foreach) {
        let Some(listening) = self.listening_mut(id) else {
            return;
        };
        if listening.item.is_some() {
            return;
        }
        if listening.queue.is_empty() {
            if listening.closed {
                self.finish_listening(id);
            }
            return;
        }
        let item = listening.queue.remove(0);
        let value = item.value();
        listening.item = Some(item);
        match foreach.scope {
            Some(scope) => {
                listening.line = Line::of(scope);
                if let Outcome::Done(output, _) = self.begin_list(id, scope, value) {
                    self.item_done(id, output, false);
                }
            }
            None => self.item_done(id, value, false),
        }
    }

    /// `foreach` is through with one event.
    pub(crate) fn item_done(&mut self, id: FrameId, raw: Value, exit: bool) {
        let Body::Listen(body) = &self.task_of(id).body else {
            return;
        };
        let Some(foreach) = &body.foreach else { return };
        match self.item_output(id, foreach, &raw) {
            Ok(output) => {
                if let Some(listening) = self.listening_mut(id) {
                    listening.consumed.push(output.into());
                    listening.item = None;
                    listening.index += 1;
                    listening.line = Line::default();
                }
            }
            Err(error) => return self.fault(id, error),
        }
        if exit
            && self
                .listening(id)
                .is_some_and(|listening| !listening.closed)
        {
            self.close_listener(id);
        }
        let met = self.condition_met(id, body);
        if (exit || (met && matches!(body.to.how, How::Until(_))))
            && let Some(listening) = self.listening_mut(id)
        {
            listening.queue.clear();
        }
        self.next_item(id, foreach);
    }

    fn item_output(&mut self, id: FrameId, foreach: &Foreach, raw: &Value) -> Result<Value, Error> {
        let item = self
            .listening(id)
            .and_then(|listening| listening.item.as_ref())
            .map(Held::value)
            .unwrap_or_default();
        self.transformed(
            id,
            &foreach.results,
            &item,
            raw,
            "the output of the iteration",
        )
    }
}
