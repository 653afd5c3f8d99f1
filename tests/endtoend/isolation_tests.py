"""What belongs to one unit does not exist for another; a secret's value rests nowhere."""

import http.server
import json
import threading
from pathlib import Path

from harness import Client, begin, decide, hidden_fields, item_of, site, wait_for_status, wait_until

SECRET = "zebra-hazel-4711-quartz"
STRANGER = "01a20000-0000-7000-8000-000000000000"


def probes(client, id):
    """Every way of the API to a case, with its status."""
    found = {}
    for path in (f"/instances/{id}", f"/instances/{id}/history", f"/instances/{id}/diagram", f"/work-items/{id}.1"):
        found[f"GET {path}"] = client.get(f"/api/v1{path}").status
    for act in ("cancel", "suspend", "resume"):
        found[f"POST {act}"] = client.post(f"/api/v1/instances/{id}/{act}", {"reason": "好奇"}).status
    found["POST jump"] = client.post(f"/api/v1/instances/{id}/jump", {"reason": "好奇", "to": "grant"}).status
    bodies = {
        "decision": {"outcome": "approved"},
        "return": {"to": "applicant", "comment": "x"},
        "correction": {"items": [{"field": "scene", "reason": "x"}]},
        "submission": {"change": {}},
        "resubmission": {"change": {}},
        "transfer": {"to": "qian-li"},
        "comment": {"text": "x"},
        "claim": {},
        "unclaim": {},
        "urge": {},
        "withdrawal": {},
    }
    for act, body in bodies.items():
        found[f"POST {act}"] = client.post(f"/api/v1/work-items/{id}.1/{act}", body).status
    return found


def test_another_unit_gets_404_on_every_id(context):
    with site(context.binary) as where:
        owner, approver = where.key("li-na", "transport"), where.key("zhao-min")
        stranger, unit = where.key("qian-li", "civil-affairs"), where.key(None, "civil-affairs")
        where.tongban("user", "password", "qian-li", stdin="a-long-pass-phrase")
        where.tongban("user", "password", "zhao-min", stdin="a-long-pass-phrase")
        where.start()
        case = begin(where.client(owner), "probe/ask", {"tag": "own"})["id"]
        item_of(where.client(approver), case)
        assert where.client(owner).get(f"/api/v1/instances/{case}").status == 200
        wrong = {way: status for way, status in probes(where.client(stranger), case).items() if status != 404}
        assert not wrong, f"a person of another unit: {wrong}"
        acting = {way: status for way, status in probes(where.client(unit), case).items() if status not in (404, 403)}
        assert not acting, f"a key of another unit: {acting}"
        reading = {way: s for way, s in probes(where.client(unit), case).items() if "/instances/" in way and s != 404}
        assert not reading, f"a key of another unit reads: {reading}"
        listed = where.client(stranger).get("/api/v1/instances").json()["items"]
        assert case not in [entry["id"] for entry in listed]

        browser = Client(where.port).sign_in("qian-li", "a-long-pass-phrase")
        for path in ("/cases/{}", "/cases/{}/confirmation", "/cases/{}/diagram.svg", "/items/{}/1"):
            assert browser.get(path.format(case)).status == 404, path
            assert browser.get(path.format(STRANGER)).status == 404, path
        token = hidden_fields(browser.get("/inbox").text())["_token"]
        for path in (f"/items/{case}/1", f"/cases/{case}"):
            answer = browser.post_form(path, {"_token": token, "_act": "decide", "_outcome": "approved"})
            assert answer.status == 404, f"{path}: {answer.status}"
        assert browser.get("/mailbox").status == 404, "a real site shows nobody's mails"
        insider = Client(where.port).sign_in("zhao-min", "a-long-pass-phrase")
        assert insider.get(f"/items/{case}/1").status == 200
        assert where.client(owner).get(f"/api/v1/instances/{case}").json()["waiting"][0]["task"] == "review"


class Callee(http.server.BaseHTTPRequestHandler):
    seen = []

    def do_GET(self):
        Callee.seen.append(self.headers.get("Authorization"))
        body = json.dumps({"answer": "yes"}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def test_a_secret_rests_nowhere(context):
    callee = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Callee)
    threading.Thread(target=callee.serve_forever, daemon=True).start()
    port = callee.server_address[1]
    try:
        with site(context.binary) as where:
            workflow = where.folder / "workflows/probe/workflows/secret.yaml"
            workflow.write_text(workflow.read_text("utf-8").replace("127.0.0.1:5999", f"127.0.0.1:{port}"), "utf-8")
            (where.folder / "config/connectors.yaml").write_text(
                "connectors: { '*': { callee: { scheme: http, host: 127.0.0.1, port: %d, addresses: [127.0.0.1],"
                " secrets: [probeToken] } } }\n" % port
            )
            (where.folder / "data/secrets/probeToken").write_text(SECRET + "\n")
            keys = {person: where.key(person, "transport" if person == "li-na" else None) for person in ("li-na", "zhao-min")}
            server = where.start()
            case = begin(where.client(keys["li-na"]), "probe/secret", {"tag": "secret"})["id"]
            wait_until("the callee is called", lambda: Callee.seen)
            item = item_of(where.client(keys["zhao-min"]), case)
            resting(where, server, where.client(keys["li-na"]), case)
            assert decide(where.client(keys["zhao-min"]), item).status == 200
            wait_for_status(where.client(keys["li-na"]), case)
            assert Callee.seen == [f"Bearer {SECRET}"], Callee.seen
            resting(where, server, where.client(keys["li-na"]), case)
            server.stop()
            resting(where, server)
    finally:
        callee.shutdown()
        callee.server_close()


def resting(where, server, client=None, case=None):
    """The value is in no file of the database, in no log, in no answer."""
    for path in Path(where.sqlite.parent).glob("tongban.db*"):
        assert SECRET.encode() not in path.read_bytes(), f"the secret rests in {path.name}"
    assert SECRET not in server.log(), "the secret is in the log"
    if client:
        for path in ("", "/history", "/diagram"):
            assert SECRET not in client.get(f"/api/v1/instances/{case}{path}").text(), path
