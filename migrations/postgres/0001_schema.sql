-- The whole schema. Both databases have the same tables and columns: TEXT COLLATE "C", BIGINT (milliseconds UTC where a name
-- ends in _at_ms, _ms), bytes. JSON is opaque text. No foreign keys between tables that a commit writes.

-- Instances: the state (only while running), the head (what lists need), the history.

CREATE TABLE instance_state (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    version BIGINT NOT NULL,
    format BIGINT NOT NULL,
    body TEXT COLLATE "C" NOT NULL
) WITH (fillfactor = 70);

CREATE TABLE instance (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    workflow TEXT COLLATE "C" NOT NULL,
    bundle TEXT COLLATE "C" NOT NULL,
    number TEXT COLLATE "C",
    status TEXT COLLATE "C" NOT NULL,
    wait TEXT COLLATE "C",
    last_error TEXT COLLATE "C",
    business_key TEXT COLLATE "C",
    title TEXT COLLATE "C",
    unit_id TEXT COLLATE "C",
    starter_id TEXT COLLATE "C",
    parent_id TEXT COLLATE "C",
    output TEXT COLLATE "C",
    started_at_ms BIGINT NOT NULL,
    changed_at_ms BIGINT NOT NULL,
    ended_at_ms BIGINT,
    purge_at_ms BIGINT
);
CREATE INDEX instance_by_workflow ON instance (workflow, status, started_at_ms);
CREATE INDEX instance_by_unit ON instance (unit_id, id) WHERE unit_id IS NOT NULL;
CREATE INDEX instance_by_parent ON instance (parent_id) WHERE parent_id IS NOT NULL;
CREATE INDEX instance_by_purge ON instance (purge_at_ms) WHERE purge_at_ms IS NOT NULL;
CREATE INDEX instance_by_business_key ON instance (business_key) WHERE business_key IS NOT NULL;
CREATE INDEX instance_by_number ON instance (number) WHERE number IS NOT NULL;
CREATE INDEX instance_by_wait ON instance (wait) WHERE wait IS NOT NULL;
CREATE INDEX instance_by_bundle ON instance (bundle) WHERE ended_at_ms IS NULL;

CREATE TABLE history (
    instance_id TEXT COLLATE "C" NOT NULL,
    version BIGINT NOT NULL,
    at_ms BIGINT NOT NULL,
    actor TEXT COLLATE "C",
    body TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (instance_id, version)
);

-- All unique promises.

CREATE TABLE key (
    scope TEXT COLLATE "C" NOT NULL,
    value TEXT COLLATE "C" NOT NULL,
    digest TEXT COLLATE "C" NOT NULL,
    instance_id TEXT COLLATE "C",
    answer TEXT COLLATE "C",
    expires_at_ms BIGINT,
    PRIMARY KEY (scope, value)
);
CREATE INDEX key_by_expiry ON key (expires_at_ms) WHERE expires_at_ms IS NOT NULL;
CREATE INDEX key_by_instance ON key (instance_id) WHERE instance_id IS NOT NULL;

CREATE TABLE sequence (
    scope TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    value BIGINT NOT NULL
) WITH (fillfactor = 70);

-- What makes a waiting instance go on.

CREATE TABLE wake (
    instance_id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    ready_at_ms BIGINT NOT NULL
) WITH (fillfactor = 70);
CREATE INDEX wake_by_ready ON wake (ready_at_ms);

CREATE TABLE inbox (
    instance_id TEXT COLLATE "C" NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    body TEXT COLLATE "C" NOT NULL,
    ready_at_ms BIGINT NOT NULL,
    PRIMARY KEY (instance_id, id)
) WITH (fillfactor = 70);
CREATE INDEX inbox_by_ready ON inbox (ready_at_ms);

CREATE TABLE act (
    instance_id TEXT COLLATE "C" NOT NULL,
    run_id TEXT COLLATE "C" NOT NULL,
    function TEXT COLLATE "C" NOT NULL,
    connector TEXT COLLATE "C",
    key TEXT COLLATE "C" NOT NULL,
    args TEXT COLLATE "C" NOT NULL,
    attempt BIGINT NOT NULL,
    token TEXT COLLATE "C",
    error TEXT COLLATE "C",
    deadline_ms BIGINT,
    ready_at_ms BIGINT NOT NULL,
    PRIMARY KEY (instance_id, run_id)
) WITH (fillfactor = 70);
CREATE INDEX act_by_function ON act (function, ready_at_ms);
CREATE INDEX act_by_connector ON act (connector) WHERE connector IS NOT NULL;

CREATE TABLE blob (
    instance_id TEXT COLLATE "C" NOT NULL,
    digest TEXT COLLATE "C" NOT NULL,
    body TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (instance_id, digest)
);

CREATE TABLE checkpoint (
    instance_id TEXT COLLATE "C" NOT NULL,
    path TEXT COLLATE "C" NOT NULL,
    run_id TEXT COLLATE "C" NOT NULL,
    input TEXT COLLATE "C" NOT NULL,
    context TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (instance_id, path)
);

-- Events.

CREATE TABLE subscription (
    instance_id TEXT COLLATE "C" NOT NULL,
    run_id TEXT COLLATE "C" NOT NULL,
    n BIGINT NOT NULL,
    shape TEXT COLLATE "C" NOT NULL,
    value TEXT COLLATE "C" NOT NULL,
    fresh BIGINT NOT NULL,
    PRIMARY KEY (instance_id, run_id, n)
);
CREATE INDEX subscription_by_shape ON subscription (shape, value, instance_id);
CREATE INDEX subscription_fresh ON subscription (instance_id) WHERE fresh = 1;

CREATE TABLE listen_shape (
    shape TEXT COLLATE "C" NOT NULL,
    event_type TEXT COLLATE "C" NOT NULL,
    filter TEXT COLLATE "C" NOT NULL,
    from_exprs TEXT COLLATE "C" NOT NULL,
    bundle TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (shape, bundle)
);
CREATE INDEX listen_shape_by_type ON listen_shape (event_type);

CREATE TABLE event (
    seq BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    source TEXT COLLATE "C" NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    event_type TEXT COLLATE "C" NOT NULL,
    body TEXT COLLATE "C" NOT NULL,
    received_at_ms BIGINT NOT NULL,
    expires_at_ms BIGINT NOT NULL,
    routed BIGINT NOT NULL,
    cursor TEXT COLLATE "C",
    UNIQUE (source, id)
);
CREATE INDEX event_by_type ON event (event_type, seq);
CREATE INDEX event_unrouted ON event (seq) WHERE routed = 0;
CREATE INDEX event_unsent ON event (seq) WHERE routed = 2;
CREATE INDEX event_by_expiry ON event (expires_at_ms);

CREATE TABLE event_taken (
    event_seq BIGINT NOT NULL,
    instance_id TEXT COLLATE "C" NOT NULL,
    expires_at_ms BIGINT NOT NULL,
    PRIMARY KEY (event_seq, instance_id)
);
CREATE INDEX event_taken_by_expiry ON event_taken (expires_at_ms);

CREATE TABLE schedule (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    workflow TEXT COLLATE "C" NOT NULL,
    n BIGINT NOT NULL,
    spec TEXT COLLATE "C" NOT NULL,
    zone TEXT COLLATE "C" NOT NULL,
    catch_up TEXT COLLATE "C" NOT NULL,
    last_tick_ms BIGINT,
    ready_at_ms BIGINT NOT NULL
);
CREATE INDEX schedule_by_ready ON schedule (ready_at_ms);
CREATE INDEX schedule_by_workflow ON schedule (workflow);

-- Work of people.

CREATE TABLE work_item (
    instance_id TEXT COLLATE "C" NOT NULL,
    n BIGINT NOT NULL,
    run_id TEXT COLLATE "C" NOT NULL,
    round BIGINT NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    title TEXT COLLATE "C" NOT NULL,
    form TEXT COLLATE "C",
    status TEXT COLLATE "C" NOT NULL CHECK (status IN ('open', 'closed')),
    unit_id TEXT COLLATE "C",
    due_at_ms BIGINT,
    provisional BIGINT NOT NULL,
    card TEXT COLLATE "C",
    opened_at_ms BIGINT NOT NULL,
    closed_at_ms BIGINT,
    outcome TEXT COLLATE "C",
    PRIMARY KEY (instance_id, n)
);
CREATE INDEX work_item_by_due ON work_item (due_at_ms) WHERE status = 'open';
CREATE INDEX work_item_by_unit ON work_item (unit_id, due_at_ms) WHERE status = 'open';

CREATE TABLE work_candidate (
    candidate TEXT COLLATE "C" NOT NULL,
    instance_id TEXT COLLATE "C" NOT NULL,
    n BIGINT NOT NULL,
    opened_at_ms BIGINT NOT NULL,
    due_at_ms BIGINT NOT NULL,
    claimed TEXT COLLATE "C",
    PRIMARY KEY (candidate, instance_id, n)
);
CREATE INDEX work_candidate_by_due ON work_candidate (candidate, due_at_ms, instance_id, n);
CREATE INDEX work_candidate_by_item ON work_candidate (instance_id, n);

CREATE TABLE decision (
    instance_id TEXT COLLATE "C" NOT NULL,
    n BIGINT NOT NULL,
    round BIGINT NOT NULL,
    signer_id TEXT COLLATE "C" NOT NULL,
    person_id TEXT COLLATE "C" NOT NULL,
    for_id TEXT COLLATE "C",
    act TEXT COLLATE "C" NOT NULL,
    comment TEXT COLLATE "C",
    form TEXT COLLATE "C",
    seen_digest TEXT COLLATE "C",
    channel TEXT COLLATE "C" NOT NULL,
    at_ms BIGINT NOT NULL,
    kept_from BIGINT,
    PRIMARY KEY (instance_id, n, round, signer_id)
);
CREATE INDEX decision_by_person ON decision (person_id, at_ms, instance_id);

CREATE TABLE work_note (
    person_id TEXT COLLATE "C" NOT NULL,
    instance_id TEXT COLLATE "C" NOT NULL,
    n BIGINT NOT NULL,
    read_at_ms BIGINT,
    draft TEXT COLLATE "C",
    PRIMARY KEY (person_id, instance_id, n)
);
CREATE INDEX work_note_by_item ON work_note (instance_id, n);

-- What a person has begun to fill in and not sent; follows is the number of the case that the new one would follow.
CREATE TABLE draft (
    person_id TEXT COLLATE "C" NOT NULL,
    workflow TEXT COLLATE "C" NOT NULL,
    follows TEXT COLLATE "C" NOT NULL,
    body TEXT COLLATE "C" NOT NULL,
    saved_at_ms BIGINT NOT NULL,
    PRIMARY KEY (person_id, workflow, follows)
);
CREATE INDEX draft_by_saved ON draft (saved_at_ms);

CREATE TABLE clock (
    instance_id TEXT COLLATE "C" NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    basis TEXT COLLATE "C",
    budget TEXT COLLATE "C" NOT NULL,
    unit TEXT COLLATE "C" NOT NULL,
    calendar TEXT COLLATE "C",
    started_at_ms BIGINT NOT NULL,
    due_at_ms BIGINT,
    provisional BIGINT NOT NULL,
    closed_at_ms BIGINT,
    PRIMARY KEY (instance_id, id)
);
CREATE INDEX clock_by_calendar ON clock (calendar, due_at_ms) WHERE closed_at_ms IS NULL;

CREATE TABLE clock_entry (
    instance_id TEXT COLLATE "C" NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    seq BIGINT NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    ground TEXT COLLATE "C",
    at_ms BIGINT NOT NULL,
    by_id TEXT COLLATE "C",
    why TEXT COLLATE "C",
    PRIMARY KEY (instance_id, id, seq)
);

-- Who may see a case, and how it is found.

CREATE TABLE party (
    principal TEXT COLLATE "C" NOT NULL,
    instance_id TEXT COLLATE "C" NOT NULL,
    why TEXT COLLATE "C" NOT NULL,
    at_ms BIGINT NOT NULL,
    PRIMARY KEY (principal, instance_id)
);
CREATE INDEX party_by_instance ON party (instance_id);

CREATE TABLE search (
    workflow TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    value TEXT COLLATE "C" NOT NULL,
    instance_id TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (workflow, name, value, instance_id)
);
CREATE INDEX search_by_instance ON search (instance_id);

CREATE TABLE text_index (
    kind TEXT COLLATE "C" NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    words TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (kind, id)
);
CREATE INDEX text_index_words ON text_index USING GIN (to_tsvector('simple', words));

-- Mail.

CREATE TABLE mail (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    instance_id TEXT COLLATE "C",
    item_n BIGINT,
    person_id TEXT COLLATE "C",
    template TEXT COLLATE "C" NOT NULL,
    data TEXT COLLATE "C" NOT NULL,
    attempt BIGINT NOT NULL,
    status TEXT COLLATE "C" NOT NULL CHECK (status IN ('waiting', 'sent', 'failed', 'withdrawn')),
    message_id TEXT COLLATE "C" NOT NULL,
    error TEXT COLLATE "C",
    at_ms BIGINT NOT NULL,
    ready_at_ms BIGINT NOT NULL
);
CREATE INDEX mail_by_ready ON mail (ready_at_ms) WHERE status = 'waiting';
CREATE INDEX mail_by_instance ON mail (instance_id) WHERE instance_id IS NOT NULL;
CREATE INDEX mail_by_person ON mail (person_id, id) WHERE person_id IS NOT NULL;

CREATE TABLE mail_link (
    nonce TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    instance_id TEXT COLLATE "C" NOT NULL,
    n BIGINT NOT NULL,
    round BIGINT NOT NULL,
    person_id TEXT COLLATE "C" NOT NULL,
    purpose TEXT COLLATE "C" NOT NULL,
    expires_at_ms BIGINT NOT NULL,
    used_at_ms BIGINT
);
CREATE INDEX mail_link_by_instance ON mail_link (instance_id, n);
CREATE INDEX mail_link_by_expiry ON mail_link (expires_at_ms);

CREATE TABLE attachment (
    digest TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    size BIGINT NOT NULL,
    media_type TEXT COLLATE "C" NOT NULL,
    body BYTEA,
    file TEXT COLLATE "C"
);

CREATE TABLE attachment_use (
    instance_id TEXT COLLATE "C" NOT NULL,
    digest TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    by_id TEXT COLLATE "C" NOT NULL,
    at_ms BIGINT NOT NULL,
    PRIMARY KEY (instance_id, digest, name)
);
CREATE INDEX attachment_use_by_digest ON attachment_use (digest);

-- What was published.

CREATE TABLE file (
    digest TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    body BYTEA NOT NULL
);

CREATE TABLE bundle (
    digest TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    workflow TEXT COLLATE "C" NOT NULL,
    version TEXT COLLATE "C" NOT NULL,
    manifest TEXT COLLATE "C" NOT NULL,
    published_by TEXT COLLATE "C" NOT NULL,
    published_at_ms BIGINT NOT NULL,
    origin TEXT COLLATE "C" NOT NULL DEFAULT 'site',
    UNIQUE (workflow, version)
);

CREATE TABLE bundle_file (
    bundle TEXT COLLATE "C" NOT NULL,
    path TEXT COLLATE "C" NOT NULL,
    file_digest TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (bundle, path)
);

CREATE TABLE workflow (
    name TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    current_bundle TEXT COLLATE "C",
    owner_unit TEXT COLLATE "C",
    version TEXT COLLATE "C" NOT NULL
);

-- Registers.

CREATE TABLE register (
    name TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    version TEXT COLLATE "C" NOT NULL,
    schema TEXT COLLATE "C" NOT NULL,
    authority TEXT COLLATE "C" NOT NULL,
    rights TEXT COLLATE "C" NOT NULL
);

CREATE TABLE record (
    register TEXT COLLATE "C" NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    version BIGINT NOT NULL,
    unit_id TEXT COLLATE "C",
    body TEXT COLLATE "C" NOT NULL,
    provenance TEXT COLLATE "C" NOT NULL,
    mark TEXT COLLATE "C",
    changed_at_ms BIGINT NOT NULL,
    PRIMARY KEY (register, id)
);
CREATE INDEX record_by_unit ON record (register, unit_id, id);

-- The slot is empty for a unique key, the record's id for a field that is only indexed.
CREATE TABLE record_key (
    register TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    value TEXT COLLATE "C" NOT NULL,
    slot TEXT COLLATE "C" NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (register, name, value, slot)
);
CREATE INDEX record_key_by_record ON record_key (register, id);

CREATE TABLE record_history (
    register TEXT COLLATE "C" NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    version BIGINT NOT NULL,
    body TEXT COLLATE "C" NOT NULL,
    by_instance TEXT COLLATE "C",
    at_ms BIGINT NOT NULL,
    PRIMARY KEY (register, id, version)
);

-- Differs because three years of reads are dropped by the month on PostgreSQL.
CREATE TABLE access_log (
    id TEXT COLLATE "C" NOT NULL,
    register TEXT COLLATE "C" NOT NULL,
    record_id TEXT COLLATE "C",
    who TEXT COLLATE "C" NOT NULL,
    why TEXT COLLATE "C" NOT NULL,
    fields TEXT COLLATE "C" NOT NULL,
    count BIGINT NOT NULL,
    at_ms BIGINT NOT NULL,
    PRIMARY KEY (id, at_ms)
) PARTITION BY RANGE (at_ms);
CREATE TABLE access_log_other PARTITION OF access_log DEFAULT;
DO $$
DECLARE
    first TIMESTAMP;
BEGIN
    FOR first IN SELECT generate_series(TIMESTAMP '2026-01-01', TIMESTAMP '2030-12-01', INTERVAL '1 month') LOOP
        EXECUTE format(
            'CREATE TABLE access_log_%s PARTITION OF access_log FOR VALUES FROM (%s) TO (%s)',
            to_char(first, 'YYYYMM'),
            extract(epoch FROM first)::BIGINT * 1000,
            extract(epoch FROM first + INTERVAL '1 month')::BIGINT * 1000
        );
    END LOOP;
END $$;
CREATE INDEX access_log_by_record ON access_log (register, record_id, at_ms);
CREATE INDEX access_log_by_who ON access_log (who, at_ms);

CREATE TABLE grant_right (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    resource TEXT COLLATE "C" NOT NULL,
    unit_id TEXT COLLATE "C" NOT NULL,
    fields TEXT COLLATE "C" NOT NULL,
    row_filter TEXT COLLATE "C",
    mode TEXT COLLATE "C" NOT NULL,
    purpose TEXT COLLATE "C" NOT NULL,
    quota TEXT COLLATE "C",
    ends_at_ms BIGINT,
    status TEXT COLLATE "C" NOT NULL,
    instance_id TEXT COLLATE "C"
);
CREATE INDEX grant_right_by_unit ON grant_right (unit_id, resource);
CREATE INDEX grant_right_by_resource ON grant_right (resource, status);
CREATE INDEX grant_right_by_end ON grant_right (ends_at_ms) WHERE ends_at_ms IS NOT NULL;

-- The organisation.

CREATE TABLE unit (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    parent_id TEXT COLLATE "C",
    name TEXT COLLATE "C" NOT NULL,
    level TEXT COLLATE "C" NOT NULL,
    body TEXT COLLATE "C" NOT NULL,
    from_day TEXT COLLATE "C",
    until_day TEXT COLLATE "C"
);

CREATE TABLE unit_ancestor (
    unit_id TEXT COLLATE "C" NOT NULL,
    ancestor_id TEXT COLLATE "C" NOT NULL,
    distance BIGINT NOT NULL,
    PRIMARY KEY (unit_id, ancestor_id)
);
CREATE INDEX unit_ancestor_by_ancestor ON unit_ancestor (ancestor_id, unit_id);

CREATE TABLE person (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    name TEXT COLLATE "C" NOT NULL,
    login TEXT COLLATE "C",
    mail TEXT COLLATE "C",
    language TEXT COLLATE "C",
    body TEXT COLLATE "C" NOT NULL,
    from_day TEXT COLLATE "C",
    until_day TEXT COLLATE "C"
);
CREATE UNIQUE INDEX person_by_login ON person (login) WHERE login IS NOT NULL;

CREATE TABLE post (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    unit_id TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    head BIGINT NOT NULL,
    body TEXT COLLATE "C" NOT NULL
);

CREATE TABLE membership (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    person_id TEXT COLLATE "C" NOT NULL,
    unit_id TEXT COLLATE "C" NOT NULL,
    post_id TEXT COLLATE "C",
    role TEXT COLLATE "C",
    main BIGINT NOT NULL,
    body TEXT COLLATE "C" NOT NULL,
    from_day TEXT COLLATE "C",
    until_day TEXT COLLATE "C"
);
CREATE INDEX membership_by_person ON membership (person_id);
CREATE INDEX membership_by_role ON membership (role, unit_id);

CREATE TABLE role (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    name TEXT COLLATE "C" NOT NULL,
    body TEXT COLLATE "C" NOT NULL
);

CREATE TABLE absence (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    person_id TEXT COLLATE "C" NOT NULL,
    from_ms BIGINT NOT NULL,
    until_ms BIGINT,
    substitute_id TEXT COLLATE "C",
    body TEXT COLLATE "C" NOT NULL
);

CREATE TABLE calendar_day (
    calendar TEXT COLLATE "C" NOT NULL,
    day TEXT COLLATE "C" NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C",
    hours TEXT COLLATE "C",
    PRIMARY KEY (calendar, day)
);

CREATE TABLE right_rule (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    principal TEXT COLLATE "C" NOT NULL,
    function TEXT COLLATE "C" NOT NULL,
    unit_id TEXT COLLATE "C",
    form TEXT COLLATE "C",
    scope TEXT COLLATE "C" NOT NULL
);
CREATE INDEX right_rule_by_principal ON right_rule (principal);

-- Signing in.

CREATE TABLE session (
    hash TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    person_id TEXT COLLATE "C" NOT NULL,
    body TEXT COLLATE "C" NOT NULL,
    created_at_ms BIGINT NOT NULL,
    expires_at_ms BIGINT NOT NULL
);
CREATE INDEX session_by_person ON session (person_id);
CREATE INDEX session_by_expiry ON session (expires_at_ms);

CREATE TABLE api_key (
    hash TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    prefix TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    unit_id TEXT COLLATE "C",
    person_id TEXT COLLATE "C",
    scopes TEXT COLLATE "C" NOT NULL,
    created_at_ms BIGINT NOT NULL,
    expires_at_ms BIGINT
);

CREATE TABLE credential (
    person_id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    hash TEXT COLLATE "C" NOT NULL,
    changed_at_ms BIGINT NOT NULL,
    failed BIGINT NOT NULL,
    locked_until_ms BIGINT
);

-- What operators and auditors need.

CREATE TABLE audit (
    chain TEXT COLLATE "C" NOT NULL,
    seq BIGINT NOT NULL,
    at_ms BIGINT NOT NULL,
    who TEXT COLLATE "C" NOT NULL,
    act TEXT COLLATE "C" NOT NULL,
    object TEXT COLLATE "C" NOT NULL,
    body TEXT COLLATE "C" NOT NULL,
    prev TEXT COLLATE "C" NOT NULL,
    hash TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (chain, seq)
);
CREATE INDEX audit_by_object ON audit (object, at_ms);
CREATE INDEX audit_by_who ON audit (who, at_ms);

CREATE TABLE audit_chain (
    chain TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    node TEXT COLLATE "C" NOT NULL,
    opened_with TEXT COLLATE "C" NOT NULL,
    head TEXT COLLATE "C",
    closed_at_ms BIGINT
);
CREATE INDEX audit_chain_open ON audit_chain (chain) WHERE closed_at_ms IS NULL;

CREATE TABLE bulk (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    what TEXT COLLATE "C" NOT NULL,
    filter TEXT COLLATE "C" NOT NULL,
    by_id TEXT COLLATE "C" NOT NULL,
    status TEXT COLLATE "C" NOT NULL,
    at_ms BIGINT NOT NULL
);

CREATE TABLE bulk_item (
    bulk_id TEXT COLLATE "C" NOT NULL,
    seq BIGINT NOT NULL,
    target TEXT COLLATE "C" NOT NULL,
    result TEXT COLLATE "C",
    PRIMARY KEY (bulk_id, seq)
);
CREATE INDEX bulk_item_by_result ON bulk_item (bulk_id, result);

CREATE TABLE incident (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    instance_id TEXT COLLATE "C",
    kind TEXT COLLATE "C" NOT NULL,
    error TEXT COLLATE "C" NOT NULL,
    at_ms BIGINT NOT NULL,
    closed_by TEXT COLLATE "C",
    closed_at_ms BIGINT
);
CREATE INDEX incident_open ON incident (id) WHERE closed_at_ms IS NULL;
CREATE INDEX incident_by_instance ON incident (instance_id) WHERE instance_id IS NOT NULL;

CREATE TABLE node (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    version TEXT COLLATE "C" NOT NULL,
    format_max BIGINT NOT NULL,
    seen_at_ms BIGINT NOT NULL
);

-- Large bodies are compressed by lz4, which costs a tenth of the default's time; a server built without it keeps pglz.
DO $$
BEGIN
    ALTER TABLE instance_state ALTER COLUMN body SET COMPRESSION lz4;
    ALTER TABLE history ALTER COLUMN body SET COMPRESSION lz4;
    ALTER TABLE checkpoint ALTER COLUMN input SET COMPRESSION lz4;
    ALTER TABLE blob ALTER COLUMN body SET COMPRESSION lz4;
    ALTER TABLE record ALTER COLUMN body SET COMPRESSION lz4;
    ALTER TABLE record_history ALTER COLUMN body SET COMPRESSION lz4;
EXCEPTION WHEN feature_not_supported THEN
    NULL;
END $$;

-- Tables whose rows come and go all the time are vacuumed by the thousand, not by the fifth.
ALTER TABLE instance_state SET (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000);
ALTER TABLE wake SET (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000);
ALTER TABLE inbox SET (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000);
ALTER TABLE act SET (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000);
ALTER TABLE work_candidate SET (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000);
