//! What the rest of the product sees of the runtime.

use std::future::Future;
use std::sync::Arc;

use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tongban_expr::Value;
use tongban_org::Organisation;
use tongban_plugin::Message;
use tongban_store::{Change, Committer, Filter, KeyRow, RegisterRow, Seen, Store};
use tongban_work::{Act, ItemView, World};

use crate::bundles::{Origin, Ready};
use crate::case_view::CaseView;
use crate::error::RuntimeError;
use crate::flying::Flying;
use crate::history::Page;
use crate::jobs::Job;
use crate::lane::{Class, Input, Reply, ReplyTo, What};
use crate::node::{Door, Node};
use crate::pack::{CodeTitle, Publication};
use crate::request::{Acted, Caller, Operate, Published, Received, Start, Started, WorkflowView};
use crate::settings::Parts;
use crate::start::Beginning;
use crate::state::CaseLink;
use crate::threads::Threads;

/// How the names of those rows of `register` begin that keep what a pack has besides its bundles.
pub(crate) const PACK_ROW: &str = "pack:";

/// The row of `register` that keeps the mark of the organisation that open work has seen.
const ORGANISATION_ROW: &str = "pack:@organisation";

/// The engine of one node. Cheap to clone.
#[derive(Clone)]
pub struct Runtime {
    pub(crate) node: Arc<Node>,
}

impl Runtime {
    /// A node for serving: changes go through the committers' queue, activations run on threads of their own.
    pub async fn served(parts: Parts, threads: usize) -> Result<Runtime, RuntimeError> {
        let committer = Committer::new(parts.store.clone());
        let threads = Threads::start(threads, &Handle::current())
            .map_err(|error| RuntimeError::Internal(error.to_string()))?;
        Runtime::of(Node::new(parts, Door::Queue(committer), Some(threads))).await
    }

    /// A node that does everything where it is asked: `run`, `test`, the simulator. Whoever polls it needs a deep stack
    /// (`STACK_BYTES`).
    pub async fn inline(parts: Parts) -> Result<Runtime, RuntimeError> {
        Runtime::of(Node::new(parts, Door::Direct, None)).await
    }

    async fn of(node: Node) -> Result<Runtime, RuntimeError> {
        node.refresh_packs().await?;
        node.refresh_lifecycle(true).await?;
        Ok(Runtime {
            node: Arc::new(node),
        })
    }

    /// Runs all jobs until `stop` ends, then lets what is being done end.
    pub async fn serve(&self, stop: impl Future<Output = ()>) -> Result<(), RuntimeError> {
        crate::serve::serve(Arc::clone(&self.node), stop).await
    }

    /// Does everything that is due now, one thing after the other.
    pub async fn run_until_idle(&self) -> Result<(), RuntimeError> {
        self.node.run_until_idle().await
    }

    /// Does everything that is due now; acts are begun and join those in flight, which the caller waits for.
    pub async fn run_beside(&self, flying: &mut Flying) -> Result<(), RuntimeError> {
        self.node.run_beside(flying).await
    }

    /// Does one round of one job; true when there was something to do.
    pub async fn run_job(&self, job: Job) -> Result<bool, RuntimeError> {
        self.node.run_job(job).await
    }

    /// When something comes due by itself.
    pub async fn next_due_ms(&self) -> Result<Option<i64>, RuntimeError> {
        self.node.next_due_ms().await
    }

    /// The node, for tests and tools.
    pub fn node(&self) -> &Arc<Node> {
        &self.node
    }

    /// The store.
    pub fn store(&self) -> &Store {
        &self.node.store
    }

    /// The organisation as it is now.
    pub fn organisation(&self) -> Arc<Organisation> {
        self.node.organisation()
    }

    /// Puts a new organisation in place, and has running instances find agents and deadlines anew.
    pub async fn organisation_put(&self, organisation: Organisation) -> Result<(), RuntimeError> {
        self.node.put_organisation(organisation);
        self.organisation_refresh().await
    }

    /// Puts a new organisation in place that is known by a mark; running instances look again unless another node has
    /// had them do so already.
    pub async fn organisation_becomes(
        &self,
        organisation: Organisation,
        mark: &str,
    ) -> Result<(), RuntimeError> {
        self.node.put_organisation(organisation);
        self.organisation_is(mark).await
    }

    /// Says by which mark this node's organisation and calendars are known. When instances last saw others, they look
    /// again; the mark is kept afterwards, so that a node that dies in between begins anew.
    pub async fn organisation_is(&self, mark: &str) -> Result<(), RuntimeError> {
        let known = self.node.store.register(ORGANISATION_ROW).await?;
        if known.is_some_and(|row| row.version == mark) {
            return Ok(());
        }
        self.organisation_refresh().await?;
        let mut change = Change::without_instance(self.node.clock.now_ms());
        change.add(RegisterRow {
            name: ORGANISATION_ROW.to_owned(),
            version: mark.to_owned(),
            schema: "{}".to_owned(),
            authority: "{}".to_owned(),
            rights: "[]".to_owned(),
        });
        self.node.expect_committed(change).await
    }

    /// Has all running instances find agents and deadlines anew, after the organisation or a calendar changed.
    pub async fn organisation_refresh(&self) -> Result<(), RuntimeError> {
        let running = Filter {
            status: Some("running".to_owned()),
            ..Filter::default()
        };
        let mut before: Option<String> = None;
        loop {
            let page = self
                .node
                .store
                .instances(Seen::All, &running, before.as_deref(), 200)
                .await?;
            let Some(last) = page.last().map(|head| head.id.clone()) else {
                return Ok(());
            };
            for head in page {
                self.node
                    .send(&head.id, Input::background(What::Refresh))
                    .await;
            }
            before = Some(last);
        }
    }

    /// Starts an instance; durable when this returns.
    pub async fn start(&self, start: Start) -> Result<Started, RuntimeError> {
        self.node.refuse_when_full()?;
        let ready = self
            .node
            .bundles
            .find(&self.node, &start.workflow, start.version.as_deref())
            .await?;
        if let Some(reference) = &ready.form_reference {
            let faults = ready.forms.all_faults(reference, None, &start.input);
            if faults.iter().any(|fault| !fault.warning) {
                return Err(RuntimeError::Invalid(faults));
            }
        }
        let link = match &start.link {
            Some(number) => Some(self.link_to(number, &start.workflow).await?),
            None => None,
        };
        self.keep_following(&ready, link.as_ref(), &start).await?;
        let keys = start
            .idempotency_key
            .as_ref()
            .map(|key| self.idempotency_key(&start, key))
            .into_iter()
            .collect();
        let beginning = Beginning {
            input: start.input,
            caller: start.caller,
            keys,
            link,
            schedule: None,
            class: Class::People,
        };
        self.begin(ready, beginning).await
    }

    /// What the same request was answered before; `None` when it comes for the first time.
    pub async fn started_before(&self, start: &Start) -> Result<Option<Started>, RuntimeError> {
        let Some(key) = &start.idempotency_key else {
            return Ok(None);
        };
        let own = self.idempotency_key(start, key);
        match self.node.store.key_holder(&own.scope, &own.value).await? {
            Some(holder) => self.node.replayed(&own, holder).await.map(Some),
            None => Ok(None),
        }
    }

    /// A workflow that follows other cases is started from one of them, while `metadata.start` offers it.
    async fn keep_following(
        &self,
        ready: &Ready,
        link: Option<&CaseLink>,
        start: &Start,
    ) -> Result<(), RuntimeError> {
        let Some(rule) = &ready.definition.document.metadata.start else {
            return Ok(());
        };
        let Some(link) = link else {
            let why = "it is started from another case: give its number as `link`";
            return Err(RuntimeError::Unfit(format!("`{}`: {why}", start.workflow)));
        };
        let case = self.case(&link.instance).await?;
        // A key of the applicant's unit speaks for the applicant.
        let starter = &case.head.starter;
        let person = match (&start.caller.person, &start.caller.unit) {
            (Some(person), _) => person,
            (None, unit) if unit.is_none() || *unit == starter.unit => &starter.user,
            (None, _) => "",
        };
        self.follows(&case, &start.workflow, rule, person)
            .await?
            .map_err(|why| RuntimeError::Unfit(format!("`{}`: {why}", start.workflow)))
    }

    async fn begin(
        &self,
        ready: Arc<Ready>,
        beginning: Beginning,
    ) -> Result<Started, RuntimeError> {
        let Some(threads) = &self.node.threads else {
            return self.node.begin(ready, beginning).await;
        };
        let (reply, started) = oneshot::channel();
        let node = Arc::clone(&self.node);
        let job = async move {
            let (answer, handed) = match node.begin_quietly(ready, beginning).await {
                Ok((started, handed)) => (Ok(started), handed),
                Err(error) => (Err(error), Vec::new()),
            };
            // Whoever asked may have gone; the instance runs all the same.
            let _ = reply.send(answer);
            node.hand(handed);
        };
        if !threads.run(Box::pin(job)) {
            return Err(RuntimeError::Busy { retry_after_s: 5 });
        }
        started
            .await
            .unwrap_or(Err(RuntimeError::Busy { retry_after_s: 1 }))
    }

    fn idempotency_key(&self, start: &Start, key: &str) -> KeyRow {
        let request = format!(
            "{}\n{}\n{}\n{}",
            start.workflow,
            start.input.digest(),
            start.link.as_deref().unwrap_or_default(),
            start.version.as_deref().unwrap_or_default()
        );
        KeyRow {
            scope: format!("idempotency:{}", start.caller.name()),
            value: key.to_owned(),
            digest: blake3::hash(request.as_bytes()).to_hex().to_string(),
            instance_id: None,
            answer: None,
            expires_at_ms: Some(self.node.clock.now_ms() + self.node.settings.idempotency_ttl_ms),
        }
    }

    async fn link_to(&self, number: &str, workflow: &str) -> Result<CaseLink, RuntimeError> {
        let missing = || RuntimeError::not_found("case", number);
        let instance = self
            .node
            .instance_by_number(number)
            .await?
            .ok_or_else(missing)?;
        let case = self.node.snapshot(&instance).await?.ok_or_else(missing)?;
        let ready = self
            .node
            .bundles
            .get(&self.node, &case.state.head.bundle)
            .await?;
        let facts = crate::activation::case_facts(
            &case.state.head,
            &case.state.flow,
            &ready,
            String::new(),
        );
        let organisation = self.node.organisation();
        let world = World {
            now_ms: self.node.clock.now_ms(),
            org: &organisation,
            case: &facts,
            forms: &ready.forms,
        };
        let notices = case.state.desk.notices(&world).into_iter();
        let notice = notices
            .filter(|notice| notice.open && notice.objections.as_deref() == Some(workflow))
            .map(|notice| notice.n)
            .next();
        Ok(CaseLink {
            instance,
            number: number.to_owned(),
            workflow: case.state.head.workflow.clone(),
            outcome: case
                .state
                .flow
                .output()
                .get("outcome")
                .cloned()
                .unwrap_or(Value::Null),
            notice,
        })
    }

    /// A person's act, through whichever door.
    pub async fn act(
        &self,
        instance: &str,
        act: Act,
        caller: Caller,
    ) -> Result<Acted, RuntimeError> {
        self.send_act(instance, act, caller, None).await
    }

    pub(crate) async fn send_act(
        &self,
        instance: &str,
        act: Act,
        caller: Caller,
        link: Option<String>,
    ) -> Result<Acted, RuntimeError> {
        let what = What::Act {
            act: Box::new(act),
            caller,
            link,
        };
        match self.ask(instance, what).await? {
            Reply::Acted(acted) => Ok(acted),
            Reply::Done => Err(RuntimeError::Internal(
                "a decision was answered as something else".to_owned(),
            )),
        }
    }

    /// An operator's act; who may is checked by whoever calls.
    pub async fn operate(
        &self,
        instance: &str,
        operate: Operate,
        reason: &str,
        caller: Caller,
    ) -> Result<(), RuntimeError> {
        let what = What::Operate {
            operate,
            reason: reason.to_owned(),
            caller,
        };
        self.ask(instance, what).await.map(|_| ())
    }

    pub(crate) async fn ask(&self, instance: &str, what: What) -> Result<Reply, RuntimeError> {
        if self.node.is_stopping() || self.node.clock.is_lost() {
            return Err(RuntimeError::Busy { retry_after_s: 5 });
        }
        let (reply, answer): (ReplyTo, _) = oneshot::channel();
        let input = Input {
            what,
            class: Class::People,
            reply: Some(reply),
        };
        self.node.send(instance, input).await;
        answer
            .await
            .unwrap_or(Err(RuntimeError::Busy { retry_after_s: 1 }))
    }

    /// Takes in a CloudEvent; durable when this returns.
    pub async fn receive(&self, event: Value, _caller: Caller) -> Result<Received, RuntimeError> {
        self.node.refuse_when_full()?;
        self.node.take_event(&event).await
    }

    /// Everything about one case, running or ended.
    pub async fn case(&self, instance: &str) -> Result<CaseView, RuntimeError> {
        let case = self
            .node
            .snapshot(instance)
            .await?
            .ok_or_else(|| RuntimeError::not_found("instance", instance))?;
        let ready = self
            .node
            .bundles
            .get(&self.node, &case.state.head.bundle)
            .await?;
        Ok(CaseView {
            head: case.state.head.clone(),
            version: case.version,
            status: case.status,
            instance: case.state.flow.clone(),
            desk: case.state.desk.clone(),
            program: Arc::clone(&ready.program),
            definition: Arc::clone(&ready.definition),
            bundle: Arc::clone(&ready.bundle),
            url: self.node.case_url(instance),
            now_ms: self.node.clock.now_ms(),
            organisation: self.node.organisation(),
            ready,
        })
    }

    /// What one person sees of a work item; `None` when it is not theirs to see.
    pub async fn item_view(
        &self,
        instance: &str,
        n: u32,
        person: &str,
    ) -> Result<Option<ItemView>, RuntimeError> {
        Ok(self.case(instance).await?.item(n, person))
    }

    /// A page of an instance's history after a version.
    pub async fn history(
        &self,
        instance: &str,
        after: i64,
        limit: i64,
    ) -> Result<Vec<(i64, i64, Page)>, RuntimeError> {
        let rows = self.node.store.history(instance, after, limit).await?;
        rows.into_iter()
            .map(|row| {
                let page = serde_json::from_str(&row.body).map_err(|error| {
                    RuntimeError::Internal(format!("the history of {instance}: {error}"))
                })?;
                Ok((row.version, row.at_ms, page))
            })
            .collect()
    }

    /// Publishes a pack of this site's.
    pub async fn publish(
        &self,
        publication: &Publication,
        by: &str,
    ) -> Result<Vec<Published>, RuntimeError> {
        self.node.publish(publication, by, Origin::Site).await
    }

    /// Publishes a pack that came from outside: its scripts are evaluated by the sandbox.
    pub async fn publish_from_outside(
        &self,
        publication: &Publication,
        by: &str,
    ) -> Result<Vec<Published>, RuntimeError> {
        self.node.publish(publication, by, Origin::Api).await
    }

    /// Makes an older version the current one again.
    pub async fn rollback(
        &self,
        workflow: &str,
        version: &str,
        by: &str,
    ) -> Result<Published, RuntimeError> {
        self.node.rollback(workflow, version, by).await
    }

    /// All workflows that can be started.
    pub async fn workflows(&self) -> Result<Vec<WorkflowView>, RuntimeError> {
        let mut workflows = Vec::new();
        for row in self.node.store.workflows().await? {
            let Some(digest) = row.current_bundle else {
                continue;
            };
            let ready = self.node.bundles.get(&self.node, &digest).await?;
            workflows.push(WorkflowView {
                title: ready.title().unwrap_or_else(|| row.name.clone()),
                title_en: ready.title_en(),
                summary: ready.summary(),
                summary_en: ready.summary_en(),
                starts_from_another: ready.definition.document.metadata.start.is_some(),
                workflow: row.name,
                version: row.version,
                digest,
                owner_unit: row.owner_unit,
            });
        }
        Ok(workflows)
    }

    /// The titles of the roles of everything that was published, in a language.
    pub async fn role_titles(&self, language: &str) -> Result<Vec<(String, String)>, RuntimeError> {
        let rows = self.node.store.registers().await?;
        let mut titles = Vec::new();
        for row in rows.iter().filter(|row| row.name.starts_with(PACK_ROW)) {
            // What an older program wrote in another way has no titles to give.
            let facts = Value::from_json(&row.schema).unwrap_or(Value::Null);
            for (role, title) in facts.get("roles").into_iter().flat_map(Value::entries) {
                if let Ok(title) = title.to::<CodeTitle>() {
                    titles.push((role.to_string(), title.text(language).to_owned()));
                }
            }
        }
        Ok(titles)
    }

    /// The schema of a workflow's start form, files put in place; null when it takes anything.
    pub async fn form(&self, workflow: &str) -> Result<Value, RuntimeError> {
        let ready = self.node.bundles.find(&self.node, workflow, None).await?;
        Ok(ready
            .start_form()
            .map_or(Value::Null, |form| form.schema().clone()))
    }

    /// The codes of a list as a workflow's forms name it, with their titles.
    pub async fn code_list(
        &self,
        workflow: &str,
        list: &str,
        language: &str,
    ) -> Result<Option<Vec<(String, String)>>, RuntimeError> {
        let ready = self.node.bundles.find(&self.node, workflow, None).await?;
        let codes = ready.forms.facts().and_then(|facts| facts.codes.list(list));
        Ok(codes.map(|codes| {
            codes
                .iter()
                .map(|(code, title)| (code.clone(), title.text(language).to_owned()))
                .collect()
        }))
    }

    /// A mail as it is (or was) sent: the demo's mailbox shows it.
    pub async fn mail(&self, id: &str) -> Result<Message, RuntimeError> {
        let row = self
            .node
            .store
            .mail(id)
            .await?
            .ok_or_else(|| RuntimeError::not_found("mail", id))?;
        self.node.letter_of(&row).await
    }
}
