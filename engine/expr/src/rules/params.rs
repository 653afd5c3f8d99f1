//! `params` as rhai sees it: `params.NAME` is the value that holds,
//! `params.basis("NAME")` the law it rests on.

use rhai::{Dynamic, Engine, ImmutableString};

use super::node::{Fallible, Params, fail, to_dynamic};
use crate::Value;

impl Params {
    fn entry(&self, name: &str) -> Fallible<&Value> {
        match self.0.get(name) {
            Some(entry) => Ok(entry),
            None => fail(format!("the parameter `{name}` has no value on this day")),
        }
    }

    fn value(&mut self, name: &str) -> Fallible<Dynamic> {
        let entry = self.entry(name)?;
        Ok(to_dynamic(entry.get("value").unwrap_or(entry).clone()))
    }

    fn part(&mut self, name: &str, part: &str) -> Fallible<Dynamic> {
        let entry = self.entry(name)?;
        Ok(to_dynamic(entry.get(part).cloned().unwrap_or_default()))
    }
}

pub(super) fn register(engine: &mut Engine) {
    engine.register_type_with_name::<Params>("params");
    engine.register_indexer_get(|params: &mut Params, name: ImmutableString| params.value(&name));
    engine.register_fn("basis", |params: &mut Params, name: &str| {
        params.part(name, "basis")
    });
    engine.register_fn("since", |params: &mut Params, name: &str| {
        params.part(name, "from")
    });
    engine.register_fn("title", |params: &mut Params, name: &str| {
        params.part(name, "title")
    });
}
