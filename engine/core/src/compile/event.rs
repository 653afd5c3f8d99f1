//! Listeners: filters, and the shapes by which events find them.

use std::sync::Arc;

use tongban_dsl::definition::{
    Consumption as SourceConsumption, EventFilter as SourceFilter, Iterator as SourceIterator,
    Listen as SourceListen, Until,
};

use super::{Compiler, Place};
use crate::code::Template;
use crate::listening::{Correlation, EventFilter, Shape};
use crate::program::{Consumption, Foreach, How, Listen};

impl<'a> Compiler<'a> {
    pub(super) fn listen(&mut self, listen: &'a SourceListen, place: &Place) -> Listen {
        Listen {
            to: self.consumption(&listen.to, place),
            read: listen.read,
            foreach: listen
                .foreach
                .as_ref()
                .map(|iterator| self.foreach(iterator, place)),
        }
    }

    fn consumption(&mut self, source: &'a SourceConsumption, place: &Place) -> Consumption {
        match source {
            SourceConsumption::One(filter) => Consumption {
                filters: vec![self.filter(filter, 0, place)],
                how: How::One,
            },
            SourceConsumption::All(filters) => Consumption {
                filters: self.filters(filters, place),
                how: How::All,
            },
            SourceConsumption::Any { filters, until } => {
                let compiled = if filters.is_empty() {
                    vec![self.every_event()]
                } else {
                    self.filters(filters, place)
                };
                let how = match until {
                    None => How::Any,
                    Some(Until::Never) => How::Never,
                    Some(Until::Condition(condition)) => {
                        How::Until(self.code(condition, "listen.to.until", place))
                    }
                    Some(Until::Consumed(inner)) => {
                        How::UntilConsumed(Box::new(self.consumption(inner, place)))
                    }
                };
                Consumption {
                    filters: compiled,
                    how,
                }
            }
        }
    }

    fn filters(&mut self, filters: &'a [SourceFilter], place: &Place) -> Vec<EventFilter> {
        filters
            .iter()
            .enumerate()
            .map(|(n, filter)| self.filter(filter, n, place))
            .collect()
    }

    fn filter(&mut self, filter: &'a SourceFilter, n: usize, place: &Place) -> EventFilter {
        let attributes: Vec<(Arc<str>, Template)> = filter
            .with
            .iter()
            .map(|pattern| {
                let name = pattern.attribute.value.as_str();
                let part = format!("listen.to[{n}].with.{name}");
                (Arc::from(name), self.template(&pattern.value, &part, place))
            })
            .collect();
        let correlate: Vec<Correlation> = filter
            .correlate
            .iter()
            .map(|key| Correlation {
                name: key.name.value.as_str().into(),
                from: self.code(
                    &key.from,
                    &format!("listen.to[{n}].correlate.{}.from", key.name.value),
                    place,
                ),
                expect: self.template_if(
                    key.expect.as_ref(),
                    &format!("listen.to[{n}].correlate.{}.expect", key.name.value),
                    place,
                ),
            })
            .collect();
        let shape = self.shape(&attributes, &correlate);
        EventFilter {
            shape,
            attributes,
            correlate,
        }
    }

    fn every_event(&mut self) -> EventFilter {
        EventFilter {
            shape: self.shape(&[], &[]),
            attributes: Vec::new(),
            correlate: Vec::new(),
        }
    }

    /// The number of the shape of a filter; equal filters share one.
    fn shape(&mut self, attributes: &[(Arc<str>, Template)], correlate: &[Correlation]) -> usize {
        let shape = Shape::of(attributes, correlate);
        let known = self
            .program
            .shapes
            .iter()
            .position(|known| known.id == shape.id);
        known.unwrap_or_else(|| {
            self.program.shapes.push(shape);
            self.program.shapes.len() - 1
        })
    }

    fn foreach(&mut self, iterator: &'a SourceIterator, place: &Place) -> Foreach {
        let inside = place
            .clone()
            .with_local(&iterator.item.value)
            .with_local(&iterator.at.value);
        let (output, export) = (iterator.output.as_ref(), iterator.export.as_ref());
        Foreach {
            item: iterator.item.value.as_str().into(),
            at: iterator.at.value.as_str().into(),
            scope: (!iterator.tasks.is_empty())
                .then(|| self.list(&iterator.tasks, "do", &inside.below("foreach"))),
            results: self.results(output, export, "foreach.", &inside),
        }
    }
}
