//! What one activation wants written besides the state: gathered while it runs, rolled back with a refused input.

use tongban_core::Record;
use tongban_expr::Value;
use tongban_plugin::RecordWrite;
use tongban_store::{
    AccessRow, ActRow, AuditEntry, Child, ClockEntryRow, DecisionRow, EventRow, EventTaken,
    GrantRow, HistoryRow, InboxRow, IncidentRow, InstanceRow, KeyRow, MailLinkRow, MailLinkUsed,
    MailRow, PartyRow, SubscriptionGone, SubscriptionRow, Wake,
};

use crate::lane::Told;

/// A child that is born with this change: all of its first rows.
#[derive(Debug, Clone)]
pub struct Born {
    /// Its state.
    pub child: Child,
    /// Its head.
    pub head: InstanceRow,
    /// Its first page of history.
    pub history: HistoryRow,
    /// It begins at once.
    pub wake: Wake,
    /// Who may see it.
    pub parties: Vec<PartyRow>,
}

/// What is to be done on this node as soon as the change is durable; others find the same in the tables.
#[derive(Debug, Clone)]
pub enum Handed {
    /// An act to perform.
    Act(ActRow),
    /// An outcome that the instance could not take yet.
    Answer(String, crate::lane::Answer),
    /// Something that an instance is told.
    Told(String, Told),
    /// An instance that has more to do.
    Wake(String),
    /// A timer is due within a second.
    Soon,
    /// Mails wait.
    Mails,
    /// Events wait for their routing.
    Events,
    /// Listeners wait for events that came before them.
    Listeners,
}

/// Rows and records of one activation.
#[derive(Debug, Clone, Default)]
pub struct Out {
    /// What the machine did.
    pub records: Vec<Record>,
    /// What people did, besides decisions.
    pub notes: Vec<Value>,
    /// Intents.
    pub acts: Vec<ActRow>,
    /// Run ids of acts whose rows go.
    pub acts_gone: Vec<String>,
    /// What other instances are told.
    pub told: Vec<InboxRow>,
    /// Inbox rows of this instance that were taken.
    pub taken: Vec<String>,
    /// New instances.
    pub born: Vec<Born>,
    /// Keys to take.
    pub keys: Vec<KeyRow>,
    /// Records to write.
    pub writes: Vec<RecordWrite>,
    /// Grants to write.
    pub grants: Vec<GrantRow>,
    /// Who looked at personal records.
    pub access: Vec<AccessRow>,
    /// Mails.
    pub mails: Vec<MailRow>,
    /// Links in them.
    pub links: Vec<MailLinkRow>,
    /// Links used up.
    pub links_used: Vec<MailLinkUsed>,
    /// Decisions.
    pub decisions: Vec<DecisionRow>,
    /// Entries of clocks' ledgers.
    pub clock_entries: Vec<ClockEntryRow>,
    /// Who may see the case.
    pub parties: Vec<PartyRow>,
    /// Listeners.
    pub subscriptions: Vec<SubscriptionRow>,
    /// Listeners that ended.
    pub subscriptions_gone: Vec<SubscriptionGone>,
    /// Events published.
    pub events: Vec<EventRow>,
    /// Events consumed.
    pub heard: Vec<EventTaken>,
    /// Incidents.
    pub incidents: Vec<IncidentRow>,
    /// Audit rows.
    pub audit: Vec<AuditEntry>,
    /// Large values to keep beside the state.
    pub blobs: Vec<(String, Value)>,
    /// A reason to write the head, though nothing in it changed for lists.
    pub touched: bool,
}

/// So many new cases, letters and records make a change that is committed before more of them come.
const LARGE: usize = 500;

impl Out {
    /// Whether there is enough of what calls leave behind for one change.
    pub fn is_large(&self) -> bool {
        let rows = [
            self.born.len(),
            self.mails.len(),
            self.writes.len(),
            self.grants.len(),
        ];
        rows.iter().sum::<usize>() >= LARGE
    }

    /// Forgets an intent; one that was made in this very activation leaves no row at all.
    pub fn withdraw_act(&mut self, run_id: &str) {
        let before = self.acts.len();
        self.acts.retain(|row| row.run_id != run_id);
        if self.acts.len() == before {
            self.acts_gone.push(run_id.to_owned());
        }
    }

    /// Ends a listener; one that began in this very activation leaves no row at all.
    pub fn unlisten(&mut self, instance: &str, run_id: &str) {
        let before = self.subscriptions.len();
        self.subscriptions.retain(|row| row.run_id != run_id);
        if self.subscriptions.len() == before {
            self.subscriptions_gone.push(SubscriptionGone {
                instance_id: instance.to_owned(),
                run_id: run_id.to_owned(),
            });
        }
    }

    /// Says once who may see the case.
    pub fn party(&mut self, principal: String, instance: &str, why: &str, at_ms: i64) {
        if !self
            .parties
            .iter()
            .any(|row| row.principal == principal && row.instance_id == instance)
        {
            self.parties.push(PartyRow {
                principal,
                instance_id: instance.to_owned(),
                why: why.to_owned(),
                at_ms,
            });
        }
    }

    /// Notes a decision; a later one of the same seat and round stands in its place.
    pub fn decide(&mut self, row: DecisionRow) {
        let same = |other: &DecisionRow| {
            other.n == row.n && other.round == row.round && other.signer_id == row.signer_id
        };
        self.decisions.retain(|other| !same(other));
        self.decisions.push(row);
    }
}
