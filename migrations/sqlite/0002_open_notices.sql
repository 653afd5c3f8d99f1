-- The public notices that stand now, newest first: a page of them reads no other work.

CREATE INDEX work_item_by_notice ON work_item (opened_at_ms, instance_id, n) WHERE kind = 'notice' AND status = 'open';
