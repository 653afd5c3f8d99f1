//! Who may see a case from its start: whoever started it, and the units above.

use tongban_org::Organisation;
use tongban_store::PartyRow;

use crate::state::CaseHead;

/// The rows of `party` that a new instance begins with.
pub fn parties_of(
    head: &CaseHead,
    organisation: &Organisation,
    instance: &str,
    at_ms: i64,
) -> Vec<PartyRow> {
    let party = |principal: String, why: &str| PartyRow {
        principal,
        instance_id: instance.to_owned(),
        why: why.to_owned(),
        at_ms,
    };
    let mut parties = Vec::new();
    if !head.starter.user.is_empty() {
        parties.push(party(format!("person:{}", head.starter.user), "starter"));
    }
    if let Some(unit) = &head.starter.unit {
        parties.push(party(format!("unit:{unit}"), "unit"));
        // A superior unit finds the cases of those below it by its own name.
        let above = organisation
            .unit(unit)
            .map(|unit| unit.ancestors.as_slice())
            .unwrap_or_default();
        parties.extend(
            above
                .iter()
                .map(|unit| party(format!("unit:{unit}"), "above")),
        );
    }
    parties
}
