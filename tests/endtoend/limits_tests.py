"""Bombs, long loops and changed rules: one case's trouble is nobody else's."""

import contextlib
import sqlite3
import time

from harness import begin, decide, instance, item_of, site, wait_for_status, wait_until


def keys_of(where):
    return {person: where.key(person, "transport" if person == "li-na" else None) for person in ("li-na", "zhao-min")}


def test_bombs_fault_and_say_why_while_others_go_on(context):
    with site(context.binary) as where:
        keys = keys_of(where)
        where.start()
        applicant, approver = where.client(keys["li-na"]), where.client(keys["zhao-min"])
        others = [begin(applicant, "probe/ask", {"tag": f"other-{number}"})["id"] for number in range(5)]
        bombs = [
            begin(applicant, f"probe/{kind}", {"tag": f"{kind}-{number}"})["id"]
            for number in range(3)
            for kind in ("jqBomb", "rhaiBomb")
        ]
        slowest = 0
        for id in others:
            item = item_of(approver, id)
            began = time.monotonic()
            answer = decide(approver, item)
            slowest = max(slowest, time.monotonic() - began)
            assert answer.status == 200, answer.text()
            wait_for_status(applicant, id)
        for id in bombs:
            error = wait_for_status(applicant, id, "faulted")["error"]
            # By its operations; on a machine that has no time for it, by its time.
            assert "the evaluation was stopped" in error["detail"] and error["instance"].endswith("boom"), error
        print(f"    slowest decision beside six bombs: {slowest * 1000:.0f} ms")


def largest_state(where, id):
    with contextlib.closing(sqlite3.connect(f"file:{where.sqlite}?mode=ro", uri=True)) as database:
        row = database.execute("SELECT length(body) FROM instance_state WHERE id = ?", (id,)).fetchone()
        return row[0] if row else 0


def test_a_long_loop_ends_with_a_small_state(context):
    # 100,000 turns keep the test short: a million take a debug build half a minute, with a state of 9 KB.
    with site(context.binary) as where:
        keys = keys_of(where)
        where.start()
        applicant = where.client(keys["li-na"])
        began = time.monotonic()
        id = begin(applicant, "probe/million", {"tag": "loop"})["id"]
        sizes = []

        def ended():
            sizes.append(largest_state(where, id))
            found = instance(applicant, id)
            assert found["status"] != "faulted", found["error"]
            return found["status"] == "completed" and found

        found = wait_until("the loop ends", ended, 120)
        assert found["output"] == {"outcome": "done", "last": 99999}, found["output"]
        assert max(sizes) < 65536, f"the state grew to {max(sizes)} bytes"
        print(f"    100,000 turns: {time.monotonic() - began:.1f} s, largest state {max(sizes)} bytes")


def test_a_changed_rule_changes_no_running_case(context):
    with site(context.binary) as where:
        keys = keys_of(where)
        server = where.start()
        applicant, approver = where.client(keys["li-na"]), where.client(keys["zhao-min"])
        old = begin(applicant, "probe/rule", {"tag": "old"})["id"]
        server.stop()
        pack = where.folder / "workflows/probe"
        for path, before, after in (
            (pack / "rules/judge.rhai", '"first"', '"second"'),
            (pack / "workflows/rule.yaml", "version: '1.0.0'", "version: '1.1.0'"),
        ):
            text = path.read_text("utf-8")
            assert before in text, path
            path.write_text(text.replace(before, after), "utf-8")
        where.start()
        new = begin(applicant, "probe/rule", {"tag": "new"})["id"]
        for id, version in ((old, "first"), (new, "second")):
            answer = decide(approver, item_of(approver, id))
            assert answer.status == 200, answer.text()
            assert wait_for_status(applicant, id)["output"]["outcome"] == version
        pinned = begin_version(applicant, "1.0.0")
        assert decide(approver, item_of(approver, pinned)).status == 200
        assert wait_for_status(applicant, pinned)["output"]["outcome"] == "first", "an old version can still be started"


def begin_version(client, version):
    answer = client.post("/api/v1/workflows/probe/rule/instances", {"input": {"tag": "pinned"}, "version": version})
    assert answer.status == 201, answer.text()
    return answer.json()["id"]


def test_a_published_version_is_never_another(context):
    """The same version with other files is refused at start, not silently taken."""
    with site(context.binary) as where:
        where.start().stop()
        rule = where.folder / "workflows/probe/rules/judge.rhai"
        rule.write_text(rule.read_text("utf-8").replace('"first"', '"other"'), "utf-8")
        done = where.tongban("serve", environment={"TONGBAN_LISTEN": f"127.0.0.1:{where.port}"}, check=False)
        assert done.returncode != 0 and "probe/rule" in done.stderr and "1.0.0" in done.stderr, done.stderr[-2000:]
