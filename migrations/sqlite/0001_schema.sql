-- The whole schema. Both databases have the same tables and columns: TEXT, BIGINT (milliseconds UTC where a name
-- ends in _at_ms, _ms), bytes. JSON is opaque text. No foreign keys between tables that a commit writes.

-- Instances: the state (only while running), the head (what lists need), the history.

CREATE TABLE instance_state (
    id TEXT NOT NULL PRIMARY KEY,
    version BIGINT NOT NULL,
    format BIGINT NOT NULL,
    body TEXT NOT NULL
);

CREATE TABLE instance (
    id TEXT NOT NULL PRIMARY KEY,
    workflow TEXT NOT NULL,
    bundle TEXT NOT NULL,
    number TEXT,
    status TEXT NOT NULL,
    wait TEXT,
    last_error TEXT,
    business_key TEXT,
    title TEXT,
    unit_id TEXT,
    starter_id TEXT,
    parent_id TEXT,
    output TEXT,
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
    instance_id TEXT NOT NULL,
    version BIGINT NOT NULL,
    at_ms BIGINT NOT NULL,
    actor TEXT,
    body TEXT NOT NULL,
    PRIMARY KEY (instance_id, version)
);

-- All unique promises.

CREATE TABLE key (
    scope TEXT NOT NULL,
    value TEXT NOT NULL,
    digest TEXT NOT NULL,
    instance_id TEXT,
    answer TEXT,
    expires_at_ms BIGINT,
    PRIMARY KEY (scope, value)
) WITHOUT ROWID;
CREATE INDEX key_by_expiry ON key (expires_at_ms) WHERE expires_at_ms IS NOT NULL;
CREATE INDEX key_by_instance ON key (instance_id) WHERE instance_id IS NOT NULL;

CREATE TABLE sequence (
    scope TEXT NOT NULL PRIMARY KEY,
    value BIGINT NOT NULL
) WITHOUT ROWID;

-- What makes a waiting instance go on.

CREATE TABLE wake (
    instance_id TEXT NOT NULL PRIMARY KEY,
    ready_at_ms BIGINT NOT NULL
) WITHOUT ROWID;
CREATE INDEX wake_by_ready ON wake (ready_at_ms);

CREATE TABLE inbox (
    instance_id TEXT NOT NULL,
    id TEXT NOT NULL,
    kind TEXT NOT NULL,
    body TEXT NOT NULL,
    ready_at_ms BIGINT NOT NULL,
    PRIMARY KEY (instance_id, id)
);
CREATE INDEX inbox_by_ready ON inbox (ready_at_ms);

CREATE TABLE act (
    instance_id TEXT NOT NULL,
    run_id TEXT NOT NULL,
    function TEXT NOT NULL,
    connector TEXT,
    key TEXT NOT NULL,
    args TEXT NOT NULL,
    attempt BIGINT NOT NULL,
    token TEXT,
    error TEXT,
    deadline_ms BIGINT,
    ready_at_ms BIGINT NOT NULL,
    PRIMARY KEY (instance_id, run_id)
);
CREATE INDEX act_by_function ON act (function, ready_at_ms);
CREATE INDEX act_by_connector ON act (connector) WHERE connector IS NOT NULL;

CREATE TABLE blob (
    instance_id TEXT NOT NULL,
    digest TEXT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (instance_id, digest)
);

CREATE TABLE checkpoint (
    instance_id TEXT NOT NULL,
    path TEXT NOT NULL,
    run_id TEXT NOT NULL,
    input TEXT NOT NULL,
    context TEXT NOT NULL,
    PRIMARY KEY (instance_id, path)
);

-- Events.

CREATE TABLE subscription (
    instance_id TEXT NOT NULL,
    run_id TEXT NOT NULL,
    n BIGINT NOT NULL,
    shape TEXT NOT NULL,
    value TEXT NOT NULL,
    fresh BIGINT NOT NULL,
    PRIMARY KEY (instance_id, run_id, n)
) WITHOUT ROWID;
CREATE INDEX subscription_by_shape ON subscription (shape, value, instance_id);
CREATE INDEX subscription_fresh ON subscription (instance_id) WHERE fresh = 1;

CREATE TABLE listen_shape (
    shape TEXT NOT NULL,
    event_type TEXT NOT NULL,
    filter TEXT NOT NULL,
    from_exprs TEXT NOT NULL,
    bundle TEXT NOT NULL,
    PRIMARY KEY (shape, bundle)
);
CREATE INDEX listen_shape_by_type ON listen_shape (event_type);

CREATE TABLE event (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    source TEXT NOT NULL,
    id TEXT NOT NULL,
    event_type TEXT NOT NULL,
    body TEXT NOT NULL,
    received_at_ms BIGINT NOT NULL,
    expires_at_ms BIGINT NOT NULL,
    routed BIGINT NOT NULL,
    cursor TEXT,
    UNIQUE (source, id)
);
CREATE INDEX event_by_type ON event (event_type, seq);
CREATE INDEX event_unrouted ON event (seq) WHERE routed = 0;
CREATE INDEX event_unsent ON event (seq) WHERE routed = 2;
CREATE INDEX event_by_expiry ON event (expires_at_ms);

CREATE TABLE event_taken (
    event_seq BIGINT NOT NULL,
    instance_id TEXT NOT NULL,
    expires_at_ms BIGINT NOT NULL,
    PRIMARY KEY (event_seq, instance_id)
) WITHOUT ROWID;
CREATE INDEX event_taken_by_expiry ON event_taken (expires_at_ms);

CREATE TABLE schedule (
    id TEXT NOT NULL PRIMARY KEY,
    workflow TEXT NOT NULL,
    n BIGINT NOT NULL,
    spec TEXT NOT NULL,
    zone TEXT NOT NULL,
    catch_up TEXT NOT NULL,
    last_tick_ms BIGINT,
    ready_at_ms BIGINT NOT NULL
);
CREATE INDEX schedule_by_ready ON schedule (ready_at_ms);
CREATE INDEX schedule_by_workflow ON schedule (workflow);

-- Work of people.

CREATE TABLE work_item (
    instance_id TEXT NOT NULL,
    n BIGINT NOT NULL,
    run_id TEXT NOT NULL,
    round BIGINT NOT NULL,
    kind TEXT NOT NULL,
    title TEXT NOT NULL,
    form TEXT,
    status TEXT NOT NULL CHECK (status IN ('open', 'closed')),
    unit_id TEXT,
    due_at_ms BIGINT,
    provisional BIGINT NOT NULL,
    card TEXT,
    opened_at_ms BIGINT NOT NULL,
    closed_at_ms BIGINT,
    outcome TEXT,
    PRIMARY KEY (instance_id, n)
);
CREATE INDEX work_item_by_due ON work_item (due_at_ms) WHERE status = 'open';
CREATE INDEX work_item_by_unit ON work_item (unit_id, due_at_ms) WHERE status = 'open';

CREATE TABLE work_candidate (
    candidate TEXT NOT NULL,
    instance_id TEXT NOT NULL,
    n BIGINT NOT NULL,
    opened_at_ms BIGINT NOT NULL,
    due_at_ms BIGINT NOT NULL,
    claimed TEXT,
    PRIMARY KEY (candidate, instance_id, n)
) WITHOUT ROWID;
CREATE INDEX work_candidate_by_due ON work_candidate (candidate, due_at_ms, instance_id, n);
CREATE INDEX work_candidate_by_item ON work_candidate (instance_id, n);

CREATE TABLE decision (
    instance_id TEXT NOT NULL,
    n BIGINT NOT NULL,
    round BIGINT NOT NULL,
    signer_id TEXT NOT NULL,
    person_id TEXT NOT NULL,
    for_id TEXT,
    act TEXT NOT NULL,
    comment TEXT,
    form TEXT,
    seen_digest TEXT,
    channel TEXT NOT NULL,
    at_ms BIGINT NOT NULL,
    kept_from BIGINT,
    PRIMARY KEY (instance_id, n, round, signer_id)
);
CREATE INDEX decision_by_person ON decision (person_id, at_ms, instance_id);

CREATE TABLE work_note (
    person_id TEXT NOT NULL,
    instance_id TEXT NOT NULL,
    n BIGINT NOT NULL,
    read_at_ms BIGINT,
    draft TEXT,
    PRIMARY KEY (person_id, instance_id, n)
);
CREATE INDEX work_note_by_item ON work_note (instance_id, n);

-- What a person has begun to fill in and not sent; follows is the number of the case that the new one would follow.
CREATE TABLE draft (
    person_id TEXT NOT NULL,
    workflow TEXT NOT NULL,
    follows TEXT NOT NULL,
    body TEXT NOT NULL,
    saved_at_ms BIGINT NOT NULL,
    PRIMARY KEY (person_id, workflow, follows)
);
CREATE INDEX draft_by_saved ON draft (saved_at_ms);

CREATE TABLE clock (
    instance_id TEXT NOT NULL,
    id TEXT NOT NULL,
    basis TEXT,
    budget TEXT NOT NULL,
    unit TEXT NOT NULL,
    calendar TEXT,
    started_at_ms BIGINT NOT NULL,
    due_at_ms BIGINT,
    provisional BIGINT NOT NULL,
    closed_at_ms BIGINT,
    PRIMARY KEY (instance_id, id)
);
CREATE INDEX clock_by_calendar ON clock (calendar, due_at_ms) WHERE closed_at_ms IS NULL;

CREATE TABLE clock_entry (
    instance_id TEXT NOT NULL,
    id TEXT NOT NULL,
    seq BIGINT NOT NULL,
    kind TEXT NOT NULL,
    ground TEXT,
    at_ms BIGINT NOT NULL,
    by_id TEXT,
    why TEXT,
    PRIMARY KEY (instance_id, id, seq)
) WITHOUT ROWID;

-- Who may see a case, and how it is found.

CREATE TABLE party (
    principal TEXT NOT NULL,
    instance_id TEXT NOT NULL,
    why TEXT NOT NULL,
    at_ms BIGINT NOT NULL,
    PRIMARY KEY (principal, instance_id)
) WITHOUT ROWID;
CREATE INDEX party_by_instance ON party (instance_id);

CREATE TABLE search (
    workflow TEXT NOT NULL,
    name TEXT NOT NULL,
    value TEXT NOT NULL,
    instance_id TEXT NOT NULL,
    PRIMARY KEY (workflow, name, value, instance_id)
) WITHOUT ROWID;
CREATE INDEX search_by_instance ON search (instance_id);

CREATE TABLE text_index (
    kind TEXT NOT NULL,
    id TEXT NOT NULL,
    words TEXT NOT NULL,
    PRIMARY KEY (kind, id)
);
-- Differs because SQLite's full text is a table of its own. It points at rowids: do not VACUUM.
CREATE VIRTUAL TABLE text_index_words USING fts5(words, content='text_index', tokenize='unicode61');
CREATE TRIGGER text_index_inserted AFTER INSERT ON text_index BEGIN
    INSERT INTO text_index_words (rowid, words) VALUES (new.rowid, new.words);
END;
CREATE TRIGGER text_index_deleted AFTER DELETE ON text_index BEGIN
    INSERT INTO text_index_words (text_index_words, rowid, words) VALUES ('delete', old.rowid, old.words);
END;
CREATE TRIGGER text_index_updated AFTER UPDATE ON text_index BEGIN
    INSERT INTO text_index_words (text_index_words, rowid, words) VALUES ('delete', old.rowid, old.words);
    INSERT INTO text_index_words (rowid, words) VALUES (new.rowid, new.words);
END;

-- Mail.

CREATE TABLE mail (
    id TEXT NOT NULL PRIMARY KEY,
    instance_id TEXT,
    item_n BIGINT,
    person_id TEXT,
    template TEXT NOT NULL,
    data TEXT NOT NULL,
    attempt BIGINT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('waiting', 'sent', 'failed', 'withdrawn')),
    message_id TEXT NOT NULL,
    error TEXT,
    at_ms BIGINT NOT NULL,
    ready_at_ms BIGINT NOT NULL
);
CREATE INDEX mail_by_ready ON mail (ready_at_ms) WHERE status = 'waiting';
CREATE INDEX mail_by_instance ON mail (instance_id) WHERE instance_id IS NOT NULL;
CREATE INDEX mail_by_person ON mail (person_id, id) WHERE person_id IS NOT NULL;

CREATE TABLE mail_link (
    nonce TEXT NOT NULL PRIMARY KEY,
    instance_id TEXT NOT NULL,
    n BIGINT NOT NULL,
    round BIGINT NOT NULL,
    person_id TEXT NOT NULL,
    purpose TEXT NOT NULL,
    expires_at_ms BIGINT NOT NULL,
    used_at_ms BIGINT
) WITHOUT ROWID;
CREATE INDEX mail_link_by_instance ON mail_link (instance_id, n);
CREATE INDEX mail_link_by_expiry ON mail_link (expires_at_ms);

CREATE TABLE attachment (
    digest TEXT NOT NULL PRIMARY KEY,
    size BIGINT NOT NULL,
    media_type TEXT NOT NULL,
    body BLOB,
    file TEXT
);

CREATE TABLE attachment_use (
    instance_id TEXT NOT NULL,
    digest TEXT NOT NULL,
    name TEXT NOT NULL,
    by_id TEXT NOT NULL,
    at_ms BIGINT NOT NULL,
    PRIMARY KEY (instance_id, digest, name)
) WITHOUT ROWID;
CREATE INDEX attachment_use_by_digest ON attachment_use (digest);

-- What was published.

CREATE TABLE file (
    digest TEXT NOT NULL PRIMARY KEY,
    body BLOB NOT NULL
);

CREATE TABLE bundle (
    digest TEXT NOT NULL PRIMARY KEY,
    workflow TEXT NOT NULL,
    version TEXT NOT NULL,
    manifest TEXT NOT NULL,
    published_by TEXT NOT NULL,
    published_at_ms BIGINT NOT NULL,
    origin TEXT NOT NULL DEFAULT 'site',
    UNIQUE (workflow, version)
);

CREATE TABLE bundle_file (
    bundle TEXT NOT NULL,
    path TEXT NOT NULL,
    file_digest TEXT NOT NULL,
    PRIMARY KEY (bundle, path)
) WITHOUT ROWID;

CREATE TABLE workflow (
    name TEXT NOT NULL PRIMARY KEY,
    current_bundle TEXT,
    owner_unit TEXT,
    version TEXT NOT NULL
);

-- Registers.

CREATE TABLE register (
    name TEXT NOT NULL PRIMARY KEY,
    version TEXT NOT NULL,
    schema TEXT NOT NULL,
    authority TEXT NOT NULL,
    rights TEXT NOT NULL
);

CREATE TABLE record (
    register TEXT NOT NULL,
    id TEXT NOT NULL,
    version BIGINT NOT NULL,
    unit_id TEXT,
    body TEXT NOT NULL,
    provenance TEXT NOT NULL,
    mark TEXT,
    changed_at_ms BIGINT NOT NULL,
    PRIMARY KEY (register, id)
);
CREATE INDEX record_by_unit ON record (register, unit_id, id);

-- The slot is empty for a unique key, the record's id for a field that is only indexed.
CREATE TABLE record_key (
    register TEXT NOT NULL,
    name TEXT NOT NULL,
    value TEXT NOT NULL,
    slot TEXT NOT NULL,
    id TEXT NOT NULL,
    PRIMARY KEY (register, name, value, slot)
) WITHOUT ROWID;
CREATE INDEX record_key_by_record ON record_key (register, id);

CREATE TABLE record_history (
    register TEXT NOT NULL,
    id TEXT NOT NULL,
    version BIGINT NOT NULL,
    body TEXT NOT NULL,
    by_instance TEXT,
    at_ms BIGINT NOT NULL,
    PRIMARY KEY (register, id, version)
);

CREATE TABLE access_log (
    id TEXT NOT NULL PRIMARY KEY,
    register TEXT NOT NULL,
    record_id TEXT,
    who TEXT NOT NULL,
    why TEXT NOT NULL,
    fields TEXT NOT NULL,
    count BIGINT NOT NULL,
    at_ms BIGINT NOT NULL
);
CREATE INDEX access_log_by_record ON access_log (register, record_id, at_ms);
CREATE INDEX access_log_by_who ON access_log (who, at_ms);

CREATE TABLE grant_right (
    id TEXT NOT NULL PRIMARY KEY,
    resource TEXT NOT NULL,
    unit_id TEXT NOT NULL,
    fields TEXT NOT NULL,
    row_filter TEXT,
    mode TEXT NOT NULL,
    purpose TEXT NOT NULL,
    quota TEXT,
    ends_at_ms BIGINT,
    status TEXT NOT NULL,
    instance_id TEXT
);
CREATE INDEX grant_right_by_unit ON grant_right (unit_id, resource);
CREATE INDEX grant_right_by_resource ON grant_right (resource, status);
CREATE INDEX grant_right_by_end ON grant_right (ends_at_ms) WHERE ends_at_ms IS NOT NULL;

-- The organisation.

CREATE TABLE unit (
    id TEXT NOT NULL PRIMARY KEY,
    parent_id TEXT,
    name TEXT NOT NULL,
    level TEXT NOT NULL,
    body TEXT NOT NULL,
    from_day TEXT,
    until_day TEXT
);

CREATE TABLE unit_ancestor (
    unit_id TEXT NOT NULL,
    ancestor_id TEXT NOT NULL,
    distance BIGINT NOT NULL,
    PRIMARY KEY (unit_id, ancestor_id)
) WITHOUT ROWID;
CREATE INDEX unit_ancestor_by_ancestor ON unit_ancestor (ancestor_id, unit_id);

CREATE TABLE person (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    login TEXT,
    mail TEXT,
    language TEXT,
    body TEXT NOT NULL,
    from_day TEXT,
    until_day TEXT
);
CREATE UNIQUE INDEX person_by_login ON person (login) WHERE login IS NOT NULL;

CREATE TABLE post (
    id TEXT NOT NULL PRIMARY KEY,
    unit_id TEXT NOT NULL,
    name TEXT NOT NULL,
    head BIGINT NOT NULL,
    body TEXT NOT NULL
);

CREATE TABLE membership (
    id TEXT NOT NULL PRIMARY KEY,
    person_id TEXT NOT NULL,
    unit_id TEXT NOT NULL,
    post_id TEXT,
    role TEXT,
    main BIGINT NOT NULL,
    body TEXT NOT NULL,
    from_day TEXT,
    until_day TEXT
);
CREATE INDEX membership_by_person ON membership (person_id);
CREATE INDEX membership_by_role ON membership (role, unit_id);

CREATE TABLE role (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    body TEXT NOT NULL
);

CREATE TABLE absence (
    id TEXT NOT NULL PRIMARY KEY,
    person_id TEXT NOT NULL,
    from_ms BIGINT NOT NULL,
    until_ms BIGINT,
    substitute_id TEXT,
    body TEXT NOT NULL
);

CREATE TABLE calendar_day (
    calendar TEXT NOT NULL,
    day TEXT NOT NULL,
    kind TEXT NOT NULL,
    name TEXT,
    hours TEXT,
    PRIMARY KEY (calendar, day)
) WITHOUT ROWID;

CREATE TABLE right_rule (
    id TEXT NOT NULL PRIMARY KEY,
    principal TEXT NOT NULL,
    function TEXT NOT NULL,
    unit_id TEXT,
    form TEXT,
    scope TEXT NOT NULL
);
CREATE INDEX right_rule_by_principal ON right_rule (principal);

-- Signing in.

CREATE TABLE session (
    hash TEXT NOT NULL PRIMARY KEY,
    person_id TEXT NOT NULL,
    body TEXT NOT NULL,
    created_at_ms BIGINT NOT NULL,
    expires_at_ms BIGINT NOT NULL
);
CREATE INDEX session_by_person ON session (person_id);
CREATE INDEX session_by_expiry ON session (expires_at_ms);

CREATE TABLE api_key (
    hash TEXT NOT NULL PRIMARY KEY,
    prefix TEXT NOT NULL,
    name TEXT NOT NULL,
    unit_id TEXT,
    person_id TEXT,
    scopes TEXT NOT NULL,
    created_at_ms BIGINT NOT NULL,
    expires_at_ms BIGINT
);

CREATE TABLE credential (
    person_id TEXT NOT NULL PRIMARY KEY,
    hash TEXT NOT NULL,
    changed_at_ms BIGINT NOT NULL,
    failed BIGINT NOT NULL,
    locked_until_ms BIGINT
);

-- What operators and auditors need.

CREATE TABLE audit (
    chain TEXT NOT NULL,
    seq BIGINT NOT NULL,
    at_ms BIGINT NOT NULL,
    who TEXT NOT NULL,
    act TEXT NOT NULL,
    object TEXT NOT NULL,
    body TEXT NOT NULL,
    prev TEXT NOT NULL,
    hash TEXT NOT NULL,
    PRIMARY KEY (chain, seq)
);
CREATE INDEX audit_by_object ON audit (object, at_ms);
CREATE INDEX audit_by_who ON audit (who, at_ms);

CREATE TABLE audit_chain (
    chain TEXT NOT NULL PRIMARY KEY,
    node TEXT NOT NULL,
    opened_with TEXT NOT NULL,
    head TEXT,
    closed_at_ms BIGINT
);
CREATE INDEX audit_chain_open ON audit_chain (chain) WHERE closed_at_ms IS NULL;

CREATE TABLE bulk (
    id TEXT NOT NULL PRIMARY KEY,
    what TEXT NOT NULL,
    filter TEXT NOT NULL,
    by_id TEXT NOT NULL,
    status TEXT NOT NULL,
    at_ms BIGINT NOT NULL
);

CREATE TABLE bulk_item (
    bulk_id TEXT NOT NULL,
    seq BIGINT NOT NULL,
    target TEXT NOT NULL,
    result TEXT,
    PRIMARY KEY (bulk_id, seq)
) WITHOUT ROWID;
CREATE INDEX bulk_item_by_result ON bulk_item (bulk_id, result);

CREATE TABLE incident (
    id TEXT NOT NULL PRIMARY KEY,
    instance_id TEXT,
    kind TEXT NOT NULL,
    error TEXT NOT NULL,
    at_ms BIGINT NOT NULL,
    closed_by TEXT,
    closed_at_ms BIGINT
);
CREATE INDEX incident_open ON incident (id) WHERE closed_at_ms IS NULL;
CREATE INDEX incident_by_instance ON incident (instance_id) WHERE instance_id IS NOT NULL;

CREATE TABLE node (
    id TEXT NOT NULL PRIMARY KEY,
    version TEXT NOT NULL,
    format_max BIGINT NOT NULL,
    seen_at_ms BIGINT NOT NULL
) WITHOUT ROWID;
