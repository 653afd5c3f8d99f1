//! A site with a catalogue and a register of grants.

use tongban_expr::{Value, value};

use super::shelf::Case;

const CATALOGUE: &str = "
register: catalogue
key: code
alternatives: [[provider, name]]
schema:
  type: object
  required: [name, provider, sharing]
  properties:
    name: { type: string }
    provider: { type: string }
    sharing: { type: object, required: [type], properties: { type: { enum: [unconditional, conditional, none] }, basis: { type: string } } }
    items: { type: array, items: { type: object } }
    replaces: { type: string }
    classification: { type: string }
adds:
  code: { type: string }
  version: { type: integer }
  status: { enum: [live, superseded, withdrawn] }
  publishedOn: { type: string, format: date }
  withdrawnOn: { type: string, format: date }
authority: { '*': '${ record.provider }' }
history: versions
rights: [{ role: '*', may: read }, { workflow: test/flow, may: write }]
";

const GRANTS: &str = "
register: grants
key: id
schema:
  type: object
  required: [id, resource, holder, fields, purpose, mode, until, status, case]
  additionalProperties: false
  properties:
    id: { type: string }
    resource: { type: string }
    holder: { type: string }
    fields: { type: array, items: { type: string } }
    purpose: { type: string }
    mode: { type: string }
    until: { type: string, format: date }
    status: { enum: [active, expired, revoked] }
    case: { type: string }
rights: [{ function: grant.issue, may: write }]
";

pub fn case() -> Case {
    let case = Case::new(tongban_catalogue::plugin());
    for register in [CATALOGUE, GRANTS] {
        let definition = case.shelf.define(register);
        assert_eq!(definition.faults(), Vec::new());
    }
    case
}

pub fn item(name: &str) -> Value {
    value!({
        "name": name,
        "provider": "transport",
        "sharing": { "type": "conditional", "basis": null },
        "items": [{ "name": "线路名称" }, { "name": "首班时间" }],
        "classification": "307001",
        "replaces": null,
    })
}

pub async fn publish(case: &Case, item: Value) -> Value {
    let args = value!({ "item": item });
    case.write("catalogue.publish", &args)
        .await
        .expect("published")
}
