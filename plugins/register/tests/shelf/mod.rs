//! Registers in memory, and the circumstances of a call.
#![allow(dead_code, reason = "each test file uses its own part")]

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use parking_lot::Mutex;
use tongban_expr::Value;
use tongban_org::{Organisation, OrganisationFile};
use tongban_plugin::{
    Calendar, Call, Failure, FieldSource, Found, HttpPort, HttpRequest, HttpResponse, Plugin,
    Ports, Prepared, Provenance, Query, Record, RecordMode, RecordWrite, Records,
    RegisterDefinition, Source, Starter, Templates, async_trait, key_text, merge,
};

/// 2026-03-02 09:00 in Shanghai.
pub const NOW_MS: i64 = 1_772_413_200_000;
pub const DAY_MS: i64 = 86_400_000;

const UNITS: &str = "
units:
  - { id: city, name: 示范市, level: city }
  - { id: police, name: 市公安局, level: department, parent: city }
  - { id: transport, name: 市交通局, level: department, parent: city }
  - { id: c1, name: 望海社区, level: community, parent: city }
  - { id: g1, name: 一网格, level: grid, parent: c1 }
  - { id: g2, name: 二网格, level: grid, parent: c1 }
";

#[derive(Default)]
struct Inside {
    definitions: HashMap<String, Arc<RegisterDefinition>>,
    records: BTreeMap<(String, String), Record>,
    keys: HashMap<(String, String, String), String>,
    sequences: HashMap<String, i64>,
    sources: HashMap<String, Source>,
}

/// All registers of a test.
#[derive(Default)]
pub struct Shelf(Mutex<Inside>);

impl Shelf {
    /// Adds a register from its YAML.
    pub fn define(&self, yaml: &str) -> Arc<RegisterDefinition> {
        let mut definition: RegisterDefinition = serde_yaml::from_str(yaml).expect("a register");
        "test".clone_into(&mut definition.pack);
        let script =
            |path: &str| (path == "rules/label.rhai").then(|| "input.name + \"!\"".to_owned());
        definition.resolve(&|_| None, &script).expect("all files");
        let definition = Arc::new(definition);
        self.0
            .lock()
            .definitions
            .insert(definition.register.clone(), definition.clone());
        definition
    }

    /// Puts an imported record there, whose word is `source`'s.
    pub fn import(&self, register: &str, body: Value, source: &str, at_ms: i64) {
        let definition = self
            .0
            .lock()
            .definitions
            .get(register)
            .cloned()
            .expect("a register");
        let key = body.get(&definition.key).and_then(key_text).expect("a key");
        let nth = self
            .0
            .lock()
            .records
            .values()
            .filter(|record| record.id.starts_with(&format!("{key}#")))
            .count()
            + 1;
        let from = FieldSource {
            source: source.to_owned(),
            fetched_at_ms: at_ms,
            ..FieldSource::default()
        };
        let write = RecordWrite {
            register: register.to_owned(),
            id: definition.row_id(&key, nth),
            base_version: None,
            mode: RecordMode::Put,
            unit: None,
            keys: definition.lookups_of(&body),
            body,
            provenance: Provenance([("*".to_owned(), from)].into_iter().collect()),
            mark: None,
            lock: None,
            history: false,
        };
        self.commit(&[write], at_ms);
    }

    /// Commits rows under their guards, as the store does.
    pub fn commit(&self, writes: &[RecordWrite], at_ms: i64) {
        let mut inside = self.0.lock();
        for write in writes {
            let place = (write.register.clone(), write.id.clone());
            let version = inside.records.get(&place).map(|record| record.version);
            assert_eq!(version, write.base_version, "the guard of {place:?}");
            inside
                .keys
                .retain(|(register, _, _), id| (register, &*id) != (&write.register, &write.id));
            for (name, value) in &write.keys {
                let key = (
                    write.register.clone(),
                    name.clone(),
                    format!("{value}\u{0}{}", write.id),
                );
                inside.keys.insert(key, write.id.clone());
            }
            let record = Record {
                register: write.register.clone(),
                id: write.id.clone(),
                version: version.unwrap_or(0) + 1,
                unit: write.unit.clone(),
                body: write.body.clone(),
                provenance: write.provenance.clone(),
                mark: write.mark.clone(),
                lock: write.lock.clone(),
                changed_at_ms: at_ms,
            };
            inside.records.insert(place, record);
        }
    }

    pub fn record(&self, register: &str, id: &str) -> Option<Record> {
        let place = (register.to_owned(), id.to_owned());
        self.0.lock().records.get(&place).cloned()
    }

    pub fn set_source(&self, register: &str, source: Source) {
        self.0.lock().sources.insert(register.to_owned(), source);
    }
}

#[async_trait]
impl Records for Shelf {
    async fn definition(&self, register: &str) -> Result<Option<Arc<RegisterDefinition>>, Failure> {
        Ok(self.0.lock().definitions.get(register).cloned())
    }

    async fn source(&self, register: &str) -> Result<Source, Failure> {
        let known = self.0.lock().sources.get(register).cloned();
        Ok(known.unwrap_or(Source {
            available: true,
            name: register.to_owned(),
            fetched_at_ms: None,
        }))
    }

    async fn get(&self, register: &str, ids: &[String]) -> Result<Vec<Record>, Failure> {
        Ok(ids
            .iter()
            .filter_map(|id| self.record(register, id))
            .collect())
    }

    async fn by_key(
        &self,
        register: &str,
        name: &str,
        values: &[String],
    ) -> Result<Vec<Record>, Failure> {
        let inside = self.0.lock();
        let mut ids: Vec<&String> = inside
            .keys
            .iter()
            .filter(|((known, key, value), _)| {
                let value = value.split('\0').next().unwrap_or_default();
                known == register && key == name && values.iter().any(|one| one == value)
            })
            .map(|(_, id)| id)
            .collect();
        ids.sort();
        Ok(ids
            .into_iter()
            .filter_map(|id| {
                inside
                    .records
                    .get(&(register.to_owned(), id.clone()))
                    .cloned()
            })
            .collect())
    }

    async fn find(&self, register: &str, query: &Query) -> Result<Found, Failure> {
        let inside = self.0.lock();
        let mut records: Vec<Record> = inside
            .records
            .values()
            .filter(|record| record.register == register)
            .filter(|record| {
                query.equal.iter().all(|(path, value)| {
                    let found = record.body.at(path).cloned().unwrap_or_default();
                    value
                        .as_list()
                        .map_or(found == *value, |list| list.contains(&found))
                })
            })
            .cloned()
            .collect();
        let total = records.len() as u64;
        records.truncate(query.limit as usize);
        Ok(Found { records, total })
    }

    async fn draw(&self, sequence: &str, count: u32) -> Result<i64, Failure> {
        let mut inside = self.0.lock();
        let last = inside.sequences.entry(sequence.to_owned()).or_default();
        let first = *last + 1;
        *last += i64::from(count);
        Ok(first)
    }
}

struct Nothing;

#[async_trait]
impl HttpPort for Nothing {
    async fn send(&self, _: HttpRequest) -> Result<HttpResponse, Failure> {
        Err(Failure::configuration("no network here"))
    }
}

impl Calendar for Nothing {
    fn end_of_day_ms(&self, date: &str) -> Option<i64> {
        let mut parts = date.splitn(3, '-').map(str::parse::<i64>);
        let (year, month, day) = (
            parts.next()?.ok()?,
            parts.next()?.ok()?,
            parts.next()?.ok()?,
        );
        // Good enough to compare days: every month has 31 of them here.
        (date.len() == 10 && (1..=12).contains(&month) && (1..=31).contains(&day))
            .then(|| NOW_MS + ((year - 2026) * 372 + (month - 3) * 31 + (day - 2)) * DAY_MS)
    }
    fn date(&self, _: i64) -> String {
        "2026-03-02".to_owned()
    }
}

impl Templates for Nothing {
    fn render(&self, _: &str, _: &str, _: &Value) -> Result<String, Failure> {
        Ok(String::new())
    }
}

/// One case that calls functions.
pub struct Case {
    pub shelf: Arc<Shelf>,
    pub workflow: String,
    pub number: String,
    pub starter: Starter,
    pub unit: Option<String>,
    pub now_ms: i64,
    pub pending: Vec<RecordWrite>,
    ports: Ports,
    plugin: Plugin,
}

impl Case {
    pub fn new(plugin: Plugin) -> Self {
        let shelf = Arc::new(Shelf::default());
        let units: OrganisationFile = serde_yaml::from_str(UNITS).expect("units");
        let directory = Organisation::build(&units, &[]).expect("an organisation");
        let ports = Ports {
            records: shelf.clone(),
            directory: Arc::new(directory),
            http: Arc::new(Nothing),
            calendar: Arc::new(Nothing),
            templates: Arc::new(Nothing),
        };
        Self {
            shelf,
            workflow: "test/flow".to_owned(),
            number: "C-1".to_owned(),
            starter: Starter {
                user: "li-na".to_owned(),
                name: "李娜".to_owned(),
                unit: Some("transport".to_owned()),
                identity: None,
                roles: vec!["editor".to_owned()],
            },
            unit: Some("transport".to_owned()),
            now_ms: NOW_MS,
            pending: Vec::new(),
            ports,
            plugin,
        }
    }

    fn call<'a>(&'a self, function: &'a str) -> Call<'a> {
        Call {
            function,
            instance: "i1",
            run_id: "step",
            workflow: &self.workflow,
            number: &self.number,
            starter: &self.starter,
            unit: self.unit.as_deref(),
            now_ms: self.now_ms,
            today: "2026-03-02",
            seed: 1,
            ports: &self.ports,
            pending: &self.pending,
        }
    }

    pub async fn read(
        &self,
        function: &str,
        args: &Value,
    ) -> Result<tongban_plugin::Answer, Failure> {
        let known = self
            .plugin
            .reads
            .iter()
            .find(|one| one.signature().name == function);
        known
            .expect("a read")
            .read(args, &self.call(function))
            .await
    }

    pub async fn prepare(&self, function: &str, args: &Value) -> Result<Prepared, Failure> {
        let known = self
            .plugin
            .writes
            .iter()
            .find(|one| one.signature().name == function);
        known
            .expect("a write")
            .prepare(args, &self.call(function))
            .await
    }

    /// Prepares and commits, as an activation of one write does.
    pub async fn write(&self, function: &str, args: &Value) -> Result<Value, Failure> {
        let prepared = self.prepare(function, args).await?;
        self.shelf.commit(&merge(prepared.records), self.now_ms);
        Ok(prepared.value)
    }
}

/// Asserts the family, the status and words of a failure.
#[track_caller]
pub fn refused<T: std::fmt::Debug>(
    result: Result<T, Failure>,
    family: &str,
    status: u16,
    words: &str,
) -> Failure {
    let failure = result.expect_err("a failure");
    assert_eq!(
        (failure.kind.name(), failure.status),
        (family, status),
        "{failure}"
    );
    assert!(
        failure.detail.contains(words),
        "`{words}` in: {}",
        failure.detail
    );
    failure
}
