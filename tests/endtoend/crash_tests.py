"""kill -9 at random while people apply and decide; the ledger of what was acknowledged is kept outside."""

import http.client
import random
import threading
import time

from harness import begin, decide, instance, pages, postgres, site, wait_until

SEED, LIVES = 20260427, 8
BROKEN = (OSError, http.client.HTTPException)


class Ledger:
    """What the server acknowledged, and what it was asked without an answer."""

    def __init__(self):
        self.lock, self.starts, self.unanswered, self.decisions, self.faults = threading.Lock(), {}, set(), {}, []
        self.stop = threading.Event()

    def applicant(self, where, key, worker):
        number = 0
        while not self.stop.is_set():
            number += 1
            tag = f"{worker}-{number}"
            workflow = "probe/timer" if number % 5 == 0 else "probe/ask"
            with self.lock:
                self.unanswered.add((tag, workflow))
            try:
                started = begin(where.client(key), workflow, {"tag": tag}, f"start-{tag}")
                with self.lock:
                    self.unanswered.discard((tag, workflow))
                    self.starts[tag] = started["id"]
            except BROKEN:
                time.sleep(0.05)
            except AssertionError as fault:
                if " 503 " not in str(fault):
                    self.faults.append(str(fault))

    def decider(self, where, key, seed):
        chance = random.Random(seed)
        while not self.stop.is_set():
            try:
                client = where.client(key)
                for item in client.get("/api/v1/work-items?limit=20").json()["items"]:
                    outcome = chance.choice(["approved", "rejected"])
                    answer = decide(client, item, outcome, comment="如此")
                    if answer.status == 200:
                        with self.lock:
                            # The same decision of the same person again is the same decision.
                            known = self.decisions.setdefault(item["id"], outcome)
                            assert known == outcome, "one item was decided twice"
                    elif answer.status not in (404, 409, 503):
                        self.faults.append(f"{answer.status} {answer.text()}")
            except BROKEN:
                time.sleep(0.05)
            except (AssertionError, KeyError, ValueError) as fault:
                self.faults.append(repr(fault))
            time.sleep(0.01)


def killed(where):
    """Kills the server and starts it again."""

    def strike(server):
        server.kill()
        return where.start()

    return strike


def lives(where, keys, strike):
    """A server under load that is struck several times; gives the ledger."""
    chance, ledger = random.Random(SEED), Ledger()
    work = [threading.Thread(target=ledger.applicant, args=(where, keys["li-na"], worker)) for worker in range(3)]
    work += [threading.Thread(target=ledger.decider, args=(where, keys["zhao-min"], worker)) for worker in range(2)]
    server = where.start()
    for thread in work:
        thread.start()
    for _ in range(LIVES):
        time.sleep(chance.uniform(0.2, 1.5))
        server = strike(server)
    time.sleep(1)
    ledger.stop.set()
    for thread in work:
        thread.join(60)
    server.kill()
    where.start()
    return ledger


def crash(where, strike):
    """What was acknowledged while the server was struck is there, once."""
    keys = {"li-na": where.key("li-na", "transport"), "zhao-min": where.key("zhao-min")}
    ledger = lives(where, keys, strike)
    assert not ledger.faults, ledger.faults[:3]
    assert len(ledger.starts) > 20 and len(ledger.decisions) > 5, f"{len(ledger.starts)} starts, {len(ledger.decisions)} decisions"
    applicant = where.client(keys["li-na"])
    for tag, workflow in sorted(ledger.unanswered):
        ledger.starts[tag] = begin(applicant, workflow, {"tag": tag}, f"start-{tag}")["id"]

    def cases():
        found = {}
        for workflow in ("probe/ask", "probe/timer"):
            for case in pages(applicant, f"/api/v1/instances?workflow={workflow}"):
                found.setdefault(case["title"], []).append(case)
        return found

    found = cases()
    doubled = [title for title, several in found.items() if len(several) > 1]
    assert not doubled, f"started twice: {doubled}"
    missing = [tag for tag, id in ledger.starts.items() if tag not in found or found[tag][0]["id"] != id]
    assert not missing, f"acknowledged and lost: {missing[:5]} of {len(ledger.starts)}"
    stray = set(found) - set(ledger.starts)
    assert not stray, f"started by nobody: {stray}"
    wait_until(
        "every timer fires",
        lambda: all(
            case["status"] == "completed"
            for several in cases().values()
            for case in several
            if case["workflow"] == "probe/timer"
        ),
        60,
    )
    for item, outcome in ledger.decisions.items():
        case = wait_ended(applicant, item.split(".")[0])
        assert case["status"] == "completed" and case["output"]["outcome"] == outcome, f"{item}: {outcome} became {case['output']}"
        ends = [
            entry
            for page in pages(applicant, f"/api/v1/instances/{case['id']}/history")
            for entry in page["tasks"]
            if entry.get("task") == "done" and entry.get("status") == "completed"
        ]
        assert len(ends) == 1, f"{item}: went on {len(ends)} times"
    said = where.tongban("verify").stdout
    assert "every promise" in said and "fits the one before" in said, said
    print(f"    {len(ledger.starts)} starts, {len(ledger.decisions)} decisions, {LIVES} strikes")


def wait_ended(client, id):
    def there():
        found = instance(client, id)
        return found["status"] != "running" and found

    return wait_until("the case ends after its decision", there, 30)


def test_crash_sqlite(context):
    with site(context.binary) as where:
        crash(where, killed(where))


def test_crash_postgres(context):
    with postgres() as url, site(context.binary, database=url) as where:
        crash(where, killed(where))
