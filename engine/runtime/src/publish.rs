//! Publishing: bundles, the pointers to current versions, and with them schedules and listeners, in one change each.

use std::collections::BTreeMap;
use std::sync::Arc;

use indexmap::IndexMap;
use tongban_dsl::Definition;
use tongban_dsl::definition::CatchUp;
use tongban_expr::{Parameters, Value, value};
use tongban_plugin::OUTSIDE;
use tongban_store::{
    AuditEntry, BundleRow, Change, Filter, ListenShapeRow, Outcome, RegisterRow, ScheduleGone,
    ScheduleRow, Seen, WorkflowRow,
};

use crate::bundles::{COLLECTOR, Origin, Ready, fixed_ms};
use crate::error::RuntimeError;
use crate::lane::{Class, Input, What};
use crate::node::{Node, PackFacts};
use crate::pack::{Bundle, Publication};
use crate::request::{Caller, Operate, Published};
use crate::start::Beginning;
use crate::timetable::{Timetable, zone};

/// The row of `register` that keeps what a pack has besides bundles and registers.
fn pack_row_name(pack: &str) -> String {
    format!("pack:{pack}")
}

impl Node {
    /// Publishes a pack: its registers and parameters first, then each workflow.
    pub(crate) async fn publish(
        self: &Arc<Self>,
        publication: &Publication,
        by: &str,
        origin: Origin,
    ) -> Result<Vec<Published>, RuntimeError> {
        if !publication.pack.is_empty() || !publication.registers.is_empty() {
            let widened = self.widened(&publication.registers).await?;
            let since_ms = self.clock.now_ms();
            self.reindex(&widened, 0).await?;
            self.publish_facts(publication, origin).await?;
            self.refresh_packs().await?;
            self.reindex(&widened, since_ms).await?;
        }
        let mut published = Vec::with_capacity(publication.bundles.len());
        for bundle in &publication.bundles {
            published.push(self.publish_bundle(bundle, by, origin).await?);
        }
        self.bundles.forget_pointers();
        self.refresh_lifecycle(true).await?;
        Ok(published)
    }

    async fn publish_facts(
        &self,
        publication: &Publication,
        origin: Origin,
    ) -> Result<(), RuntimeError> {
        let mut change = Change::without_instance(self.clock.now_ms());
        let rights = serde_json::to_string(&publication.rights)
            .map_err(|error| RuntimeError::Internal(error.to_string()))?;
        let facts = value!({
            "parameters": (publication.parameters.clone()),
            "roles": (Value::object(publication.roles.iter().map(|(role, title)| (role.as_str(), title.to_value()))))
        });
        if !publication.pack.is_empty() {
            change.add(RegisterRow {
                name: pack_row_name(&publication.pack),
                version: publication.version.clone(),
                schema: facts.to_json(),
                authority: "{}".to_owned(),
                rights,
            });
        }
        for (name, document) in &publication.registers {
            let member = |key: &str| {
                document
                    .get(key)
                    .map_or_else(|| "null".to_owned(), Value::to_json)
            };
            let mut schema = document.clone();
            schema.remove(OUTSIDE);
            if origin == Origin::Api {
                schema.set(OUTSIDE, true);
            }
            change.add(RegisterRow {
                name: name.clone(),
                version: publication.version.clone(),
                schema: schema.to_json(),
                authority: member("authority"),
                rights: member("rights"),
            });
        }
        self.expect_committed(change).await
    }

    async fn publish_bundle(
        self: &Arc<Self>,
        bundle: &Bundle,
        by: &str,
        origin: Origin,
    ) -> Result<Published, RuntimeError> {
        // What does not compile is never published.
        let ready = Ready::of(bundle.clone(), None, self.means(), false, origin)?;
        let now_ms = self.clock.now_ms();
        for (path, digest) in &bundle.manifest.files {
            let text = bundle.files.get(path).map_or("", |text| text);
            self.store.file_put(digest, text.as_bytes()).await?;
        }
        let row = row(bundle, by, origin, now_ms)?;
        let files: Vec<(String, String)> = bundle
            .manifest
            .files
            .iter()
            .map(|(path, digest)| (path.clone(), digest.clone()))
            .collect();
        let mut change = row.publish(&files, now_ms);
        self.point_to(&ready, &mut change, by, "workflow.publish")
            .await?;
        let published = |already: bool| Published {
            workflow: bundle.workflow.clone(),
            version: bundle.version.clone(),
            digest: bundle.digest.clone(),
            already,
        };
        match self.commit(Class::Background, change).await? {
            Outcome::Committed { .. } => {
                self.renew_collector(&ready).await?;
                Ok(published(false))
            }
            Outcome::KeyTaken { holder } if holder.digest == bundle.digest => {
                let mut change = Change::without_instance(now_ms);
                if origin == Origin::Site {
                    // What came through the API before is the site's own now.
                    change.add(row.trusted());
                }
                self.point_back(&ready, change, by).await?;
                Ok(published(true))
            }
            Outcome::KeyTaken { .. } if self.settings.dev => {
                let count = self.store.bundles(&bundle.workflow).await?.len();
                let base = bundle.version.split('+').next().unwrap_or(&bundle.version);
                let bundle = bundle.with_version(&format!("{base}+dev.{count}"));
                Box::pin(self.publish_bundle(&bundle, by, origin)).await
            }
            Outcome::KeyTaken { .. } => Err(RuntimeError::Unfit(format!(
                "version {} of `{}` was published with other content; a version names one content for ever: raise it",
                bundle.version, bundle.workflow
            ))),
            other => Err(RuntimeError::Internal(format!(
                "publishing ended with {other:?}"
            ))),
        }
    }

    /// The same bytes again: only the pointer may have to move back to them.
    async fn point_back(
        self: &Arc<Self>,
        ready: &Ready,
        mut change: Change,
        by: &str,
    ) -> Result<(), RuntimeError> {
        self.point_to(ready, &mut change, by, "workflow.publish")
            .await?;
        self.expect_committed(change).await?;
        self.bundles.forget(&ready.bundle.digest);
        self.renew_collector(ready).await
    }

    /// Makes a bundle the current one: pointer, schedules and listeners move together.
    async fn point_to(
        &self,
        ready: &Ready,
        change: &mut Change,
        by: &str,
        act: &str,
    ) -> Result<(), RuntimeError> {
        let bundle = &ready.bundle;
        let now_ms = self.clock.now_ms();
        let owner_unit = self
            .store
            .workflow(&bundle.workflow)
            .await?
            .and_then(|row| row.owner_unit);
        change.add(WorkflowRow {
            name: bundle.workflow.clone(),
            current_bundle: Some(bundle.digest.clone()),
            owner_unit,
            version: bundle.version.clone(),
        });
        self.add_shapes(ready, change);
        if ready
            .definition
            .schedule
            .as_ref()
            .is_some_and(|schedule| schedule.on.is_some())
        {
            let hidden = Ready::of(
                (*ready.bundle).clone(),
                None,
                self.means(),
                true,
                ready.origin,
            )?;
            self.add_shapes(&hidden, change);
        }
        let scheduled = self.schedule_of(&ready.definition, now_ms)?;
        for old in self.store.schedules_of(&bundle.workflow).await? {
            match &scheduled {
                // The same schedule of a new version goes on where it was.
                Some(new) if new.id == old.id && new.spec == old.spec && new.zone == old.zone => {
                    change.add(ScheduleRow {
                        last_tick_ms: old.last_tick_ms,
                        ready_at_ms: old.ready_at_ms,
                        ..new.clone()
                    });
                    self.audit(change, by, act, bundle);
                    return Ok(());
                }
                Some(new) if new.id == old.id => {}
                _ => change.add(ScheduleGone { id: old.id }),
            }
        }
        if let Some(new) = scheduled {
            change.add(new);
        }
        self.audit(change, by, act, bundle);
        Ok(())
    }

    fn add_shapes(&self, ready: &Ready, change: &mut Change) {
        for shape in ready.program.shapes() {
            change.add(ListenShapeRow {
                shape: shape.id.clone(),
                event_type: shape.event_type.clone().unwrap_or_default(),
                filter: "{}".to_owned(),
                from_exprs: "[]".to_owned(),
                bundle: ready.digest.clone(),
            });
        }
    }

    /// A workflow that starts on events has one hidden instance that listens for its current version. The new one begins
    /// before the old one ends: an event between the two may start the workflow twice, but is never missed.
    async fn renew_collector(self: &Arc<Self>, ready: &Ready) -> Result<(), RuntimeError> {
        let name = format!("{}{COLLECTOR}", ready.workflow);
        let filter = Filter {
            workflow: Some(name),
            status: Some("running".to_owned()),
            ..Filter::default()
        };
        let running = self.store.instances(Seen::All, &filter, None, 100).await?;
        let wanted = ready
            .definition
            .schedule
            .as_ref()
            .is_some_and(|schedule| schedule.on.is_some());
        let digest = format!("{}{COLLECTOR}", ready.digest);
        if wanted && !running.iter().any(|head| head.bundle == digest) {
            let hidden = self.bundles.get(self, &digest).await?;
            let beginning = Beginning {
                input: value!({}),
                caller: Caller::system(),
                keys: Vec::new(),
                link: None,
                schedule: None,
                class: Class::Background,
            };
            self.begin(hidden, beginning).await?;
        }
        for old in running
            .into_iter()
            .filter(|head| !wanted || head.bundle != digest)
        {
            let what = What::Operate {
                operate: Operate::Cancel,
                reason: "another version is current".to_owned(),
                caller: Caller::system(),
            };
            self.send(&old.id, Input::background(what)).await;
        }
        Ok(())
    }

    fn audit(&self, change: &mut Change, by: &str, act: &str, bundle: &Bundle) {
        change.audit.push(AuditEntry {
            at_ms: self.clock.now_ms(),
            who: by.to_owned(),
            act: act.to_owned(),
            object: bundle.workflow.clone(),
            body:
                value!({ "version": (bundle.version.as_str()), "digest": (bundle.digest.as_str()) })
                    .to_json(),
        });
    }

    fn schedule_of(
        &self,
        definition: &Definition,
        now_ms: i64,
    ) -> Result<Option<ScheduleRow>, RuntimeError> {
        let Some(schedule) = &definition.schedule else {
            return Ok(None);
        };
        let table = match (&schedule.cron, &schedule.every, &schedule.after) {
            (Some(cron), _, _) => Timetable::Cron(cron.value.clone()),
            (_, Some(every), _) => Timetable::Every(fixed_ms(every).unwrap_or(0)),
            (_, _, Some(after)) => Timetable::After(fixed_ms(after).unwrap_or(0)),
            // `on`: an event starts it, not a time.
            _ => return Ok(None),
        };
        let metadata = &definition.document.metadata;
        let zone_name = metadata
            .time_zone
            .as_ref()
            .map_or(self.settings.zone_name.as_str(), |zone| zone.value.as_str());
        let wrong =
            |error: crate::timetable::TimetableError| RuntimeError::Unfit(error.to_string());
        let first_ms = table
            .next_after(now_ms, &zone(zone_name).map_err(wrong)?)
            .map_err(wrong)?;
        let workflow = definition.reference();
        Ok(Some(ScheduleRow {
            id: format!("{workflow}#1"),
            workflow,
            n: 1,
            spec: table.to_string(),
            zone: zone_name.to_owned(),
            catch_up: match metadata.catch_up {
                CatchUp::Skip => "skip",
                CatchUp::Once => "once",
                CatchUp::All => "all",
            }
            .to_owned(),
            last_tick_ms: None,
            // The first run of `after` begins at once.
            ready_at_ms: first_ms.unwrap_or(now_ms),
        }))
    }

    /// Makes an older version the current one again.
    pub(crate) async fn rollback(
        self: &Arc<Self>,
        workflow: &str,
        version: &str,
        by: &str,
    ) -> Result<Published, RuntimeError> {
        let ready = self.bundles.find(self, workflow, Some(version)).await?;
        let mut change = Change::without_instance(self.clock.now_ms());
        self.point_to(&ready, &mut change, by, "workflow.rollback")
            .await?;
        self.expect_committed(change).await?;
        self.bundles.forget_pointers();
        self.renew_collector(&ready).await?;
        Ok(Published {
            workflow: workflow.to_owned(),
            version: version.to_owned(),
            digest: ready.bundle.digest.clone(),
            already: true,
        })
    }

    pub(crate) async fn expect_committed(&self, change: Change) -> Result<(), RuntimeError> {
        match self.commit(Class::Background, change).await? {
            Outcome::Committed { .. } => Ok(()),
            other => Err(RuntimeError::Internal(format!(
                "a change that guards nothing ended with {other:?}"
            ))),
        }
    }

    /// Reads what packs have besides bundles: dated parameters, and what "no record" means in each register.
    pub(crate) async fn refresh_packs(&self) -> Result<(), RuntimeError> {
        let mut parameters = IndexMap::new();
        let mut sources: BTreeMap<String, Value> = BTreeMap::new();
        for row in self.store.registers().await? {
            let document = Value::from_json(&row.schema).unwrap_or(Value::Null);
            let Some(pack) = row.name.strip_prefix("pack:") else {
                if let Some(none) = document.get("none").and_then(Value::as_str) {
                    sources.insert(row.name, Value::from(none));
                }
                continue;
            };
            let own = document.get("parameters").cloned().unwrap_or(Value::Null);
            if own.is_null() {
                continue;
            }
            let read = Parameters::from_value(&own).and_then(|mut read| {
                if let Some(site) = self.settings.parameters.get(pack) {
                    read.override_with(site)?;
                }
                Ok(read)
            });
            match read {
                Ok(read) => {
                    parameters.insert(pack.to_owned(), Arc::new(read));
                }
                Err(error) => tracing::error!(
                    pack,
                    path = error.path,
                    error = error.message,
                    "the parameters of a pack cannot be read"
                ),
            }
        }
        let sources_none = Value::object(
            sources
                .iter()
                .map(|(name, none)| (name.as_str(), none.clone())),
        );
        self.put_packs(PackFacts {
            parameters,
            sources_none,
        });
        Ok(())
    }
}

/// What the database keeps of a bundle.
fn row(bundle: &Bundle, by: &str, origin: Origin, now_ms: i64) -> Result<BundleRow, RuntimeError> {
    Ok(BundleRow {
        digest: bundle.digest.clone(),
        workflow: bundle.workflow.clone(),
        version: bundle.version.clone(),
        manifest: serde_json::to_string(&bundle.manifest)
            .map_err(|error| RuntimeError::Internal(error.to_string()))?,
        published_by: by.to_owned(),
        published_at_ms: now_ms,
        origin: origin.word().to_owned(),
    })
}
