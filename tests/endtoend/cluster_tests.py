"""Two servers on one PostgreSQL; many signers of one item."""

import contextlib
import http.client
import time

from harness import begin, decide, free_port, in_parallel, item_of, pages, postgres, site, wait_for_status

BROKEN = (OSError, http.client.HTTPException)


def test_two_servers_share_the_work_and_one_stops(context):
    shared(context, lambda server: server.stop())


def test_two_servers_share_the_work_and_one_is_killed(context):
    shared(context, lambda server: server.kill())


def shared(context, end):
    with postgres() as url, site(context.binary, database=url) as where:
        keys = {"li-na": where.key("li-na", "transport"), "zhao-min": where.key("zhao-min")}
        first, other_port = where.start(), free_port()
        where.start(other_port)
        started = {}

        def apply(worker):
            for number in range(10):
                tag, workflow = f"{worker}-{number}", "probe/timer" if number % 2 else "probe/ask"
                for port in (where.port, other_port) if worker % 2 else (other_port, where.port):
                    with contextlib.suppress(*BROKEN):
                        started[tag] = begin(where.client(keys["li-na"], port), workflow, {"tag": tag}, f"start-{tag}")["id"]
                        break
                if worker == 0 and number == 5:
                    end(first)

        in_parallel(4, apply)
        assert len(started) == 40, f"{len(started)} of 40 were started"
        applicant, approver = where.client(keys["li-na"], other_port), where.client(keys["zhao-min"], other_port)
        for item in pages(approver, "/api/v1/work-items"):
            answer = decide(approver, item)
            assert answer.status == 200, answer.text()
        for id in started.values():
            wait_for_status(applicant, id, seconds=120)
        listed = [case["id"] for name in ("ask", "timer") for case in pages(applicant, f"/api/v1/instances?workflow=probe/{name}")]
        assert sorted(listed) == sorted(started.values()), "nothing lost, nothing twice"


def signed_at_once(where, people, ports, keys):
    """Every signer decides at once; gives the seconds that it took."""
    applicant = where.client(keys["li-na"])
    case = begin(applicant, "probe/signers", {"tag": "signing"})["id"]
    item = item_of(where.client(keys[people[0]]), case)
    began = []

    def sign(index):
        began.append(time.monotonic())
        client = where.client(keys[people[index]], ports[index % len(ports)])
        for _ in range(20):
            answer = decide(client, item)
            if answer.status != 503:
                return answer
            time.sleep(0.1)
        return answer

    answers = in_parallel(len(people), sign)
    seconds = time.monotonic() - min(began)
    refused = [(answer.status, answer.text()) for answer in answers if answer.status != 200]
    assert not refused, f"{len(refused)} of {len(people)} refused: {refused[:2]}"
    case = wait_for_status(applicant, case)
    assert case["output"] == {"outcome": "approved", "decisions": len(people)}, case["output"]
    return seconds


def signers(count):
    return [f"signer-{number:03}" for number in range(count)]


def test_fifty_signers_decide_at_once_on_two_servers(context):
    people = signers(50)
    with postgres() as url, site(context.binary, database=url, people=people, groups={"signers": people}) as where:
        keys = {"li-na": where.key("li-na", "transport")}
        keys.update(where.keys_of(people))
        other_port = free_port()
        where.start()
        where.start(other_port)
        seconds = signed_at_once(where, people, [where.port, other_port], keys)
        print(f"    50 signers on two servers: {seconds:.2f} s")


def test_two_hundred_signers_on_sqlite(context):
    people = signers(200)
    with site(context.binary, people=people, groups={"signers": people}) as where:
        keys = {"li-na": where.key("li-na", "transport")}
        keys.update(where.keys_of(people))
        where.start()
        seconds = signed_at_once(where, people, [where.port], keys)
        print(f"    200 signers of one item: {seconds:.2f} s")
