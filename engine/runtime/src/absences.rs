//! Absences that begin, change or end while work is open: whoever is concerned finds agents anew, and nobody else.

use std::collections::BTreeSet;

use tongban_org::{Organisation, Principal};
use tongban_store::{InboxCursor, InboxFilter};

use crate::error::RuntimeError;
use crate::facade::Runtime;
use crate::lane::{Input, What};

/// Items that are looked at together.
const PAGE: usize = 200;

impl Runtime {
    /// Puts an organisation in place before anything runs.
    pub fn organisation_place(&self, organisation: Organisation) {
        self.node().put_organisation(organisation);
    }

    /// Puts an organisation in place that differs from the one before in the absences of some people: what waits for
    /// them or for their agents finds its people anew.
    ///
    /// # Errors
    /// The database refused.
    pub async fn organisation_becomes_for(
        &self,
        organisation: Organisation,
        people: &BTreeSet<String>,
    ) -> Result<(), RuntimeError> {
        self.node().put_organisation(organisation);
        let people = people.iter().cloned().map(Principal::Person);
        let candidates: Vec<String> = people.map(|person| person.to_string()).collect();
        let mut after = InboxCursor::default();
        let all = InboxFilter::default();
        loop {
            let page = self
                .store()
                .inbox_page(&candidates, &all, &after, PAGE)
                .await?;
            let Some(last) = page.last() else {
                return Ok(());
            };
            after = last.cursor();
            let cases: BTreeSet<String> = page.into_iter().map(|item| item.instance_id).collect();
            for case in cases {
                self.node()
                    .send(&case, Input::background(What::Refresh))
                    .await;
            }
        }
    }
}
