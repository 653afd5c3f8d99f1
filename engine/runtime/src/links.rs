//! Decision links of mails: opened as often as anybody likes, used once.

use tongban_work::{Act, Channel};

use crate::error::RuntimeError;
use crate::facade::Runtime;
use crate::link::nonce_of;
use crate::mail_loop::terms_of;
use crate::request::{Acted, Caller, LinkView};

impl Runtime {
    /// What a decision link is for. Opening it changes nothing.
    pub async fn link_open(&self, token: &str) -> Result<LinkView, RuntimeError> {
        // Forged, cut, altered and unknown links look alike.
        let missing = || RuntimeError::not_found("link", "this one");
        let nonce = nonce_of(token).ok_or_else(missing)?;
        let row = self
            .node
            .store
            .mail_link(&nonce)
            .await?
            .ok_or_else(missing)?;
        let terms = terms_of(&row);
        if !self.node.link_keys.fits(token, &terms) {
            return Err(missing());
        }
        let gone = self.why_gone(&row).await?;
        Ok(LinkView {
            instance: terms.instance,
            n: terms.n,
            round: terms.round,
            person: terms.person,
            purpose: terms.purpose,
            expires_at_ms: terms.expires_at_ms,
            gone,
        })
    }

    async fn why_gone(
        &self,
        row: &tongban_store::MailLinkRow,
    ) -> Result<Option<&'static str>, RuntimeError> {
        if row.used_at_ms.is_some() {
            return Ok(Some("used"));
        }
        if row.expires_at_ms <= self.node.clock.now_ms() {
            return Ok(Some("expired"));
        }
        let item = self.node.store.work_item(&row.instance_id, row.n).await?;
        let open = item.is_some_and(|item| item.round == row.round && item.closed_at_ms.is_none());
        Ok(if open { None } else { Some("moved on") })
    }

    /// Acts through a link: once, as the person whose link it is, on the item and round that it is bound to.
    pub async fn link_act(&self, token: &str, act: Act) -> Result<Acted, RuntimeError> {
        let link = self.link_open(token).await?;
        if let Some(why) = link.gone.filter(|why| *why != "moved on") {
            return Err(RuntimeError::LinkGone(why));
        }
        if link.purpose != "decide" {
            return Err(RuntimeError::LinkGone("it only shows"));
        }
        let act = Act {
            n: link.n,
            round: Some(link.round),
            who: link.person.clone(),
            for_whom: None,
            channel: Channel::Mail,
            ..act
        };
        let caller = Caller::person(link.person, None, Channel::Mail);
        // What moved on is refused by the one decision function, which says by whom and when.
        self.send_act(&link.instance, act, caller, nonce_of(token))
            .await
    }
}
