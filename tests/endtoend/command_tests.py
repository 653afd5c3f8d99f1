"""The contracts of the command line that other programs script against."""

import http.server
import json
import shutil
import subprocess
import tempfile
import threading
from contextlib import contextmanager
from pathlib import Path

HEAD = "document: {{ dsl: '1.0.3', namespace: test, name: {}, version: '1.0.0' }}\n"
PLAIN = HEAD.format("plain") + "do:\n  - greet: { set: { hello: '${ .name }' } }\n  - skipped: { if: 'false', set: { x: 1 } }\n"
RAISES = HEAD.format("raises") + (
    "do:\n  - stop: { raise: { error: { type: https://example.com/refused, status: 409, title: Refused, detail: no } } }\n"
)
WAITS = HEAD.format("waits") + (
    "do:\n  - pause: { wait: { hours: 3 } }\n"
    "  - heard: { listen: { to: { one: { with: { type: test.answer } } } } }\n"
    "  - done: { set: { heard: '${ .[0].x }' } }\n"
)
BROKEN = HEAD.format("broken") + "do:\n  - one: { sett: { x: 1 } }\n"
CALLS = HEAD.format("calls") + "do:\n  - ask: { call: http, with: { method: get, endpoint: 'http://data.example/answer' } }\n"


class Shell:
    def __init__(self, binary, folder):
        self.binary, self.folder = str(Path(binary).resolve()), folder

    def write(self, name, text):
        (self.folder / name).write_text(text, "utf-8")
        return name

    def __call__(self, *arguments, stdin=""):
        done = subprocess.run(
            [self.binary, *arguments], cwd=self.folder, input=stdin, capture_output=True, text=True, timeout=60
        )
        return done.returncode, done.stdout, done.stderr

    def run(self, *arguments, stdin=""):
        code, out, error = self("run", *arguments, "--format", "json", stdin=stdin)
        assert len(out.splitlines()) == 1, f"one object is printed: {out} {error}"
        return code, json.loads(out)


@contextmanager
def shell(context):
    folder = Path(tempfile.mkdtemp(prefix="tongban-commands-"))
    try:
        yield Shell(context.binary, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def test_run_prints_one_object_and_exits_by_status(context):
    with shell(context) as tongban:
        code, ran = tongban.run(tongban.write("plain.yaml", PLAIN), "--input", "-", stdin='{"name": "李娜"}')
        assert code == 0 and ran["status"] == "completed" and ran["output"] == {"hello": "李娜"} and ran["error"] is None, ran
        assert ran["tasks"] == [
            {"task": "/do/0/greet", "name": "greet", "status": "completed"},
            {"task": "/do/1/skipped", "name": "skipped", "status": "skipped"},
        ], ran["tasks"]
        assert ran["virtual_seconds"] == 0
        code, ran = tongban.run(tongban.write("raises.yaml", RAISES))
        assert code == 1 and ran["status"] == "faulted" and ran["output"] is None, ran
        assert (ran["error"]["type"], ran["error"]["status"]) == ("https://example.com/refused", 409)
        assert ran["error"]["instance"] == "/do/0/stop" and ran["tasks"][0]["status"] == "faulted"


def test_run_waits_moves_the_clock_and_delivers_events(context):
    with shell(context) as tongban:
        waits = tongban.write("waits.yaml", WAITS)
        event = tongban.write("event.json", json.dumps({"specversion": "1.0", "type": "test.answer", "source": "t", "id": "1", "data": {"x": 7}}))
        code, ran = tongban.run(waits)
        assert code == 3 and ran["status"] == "waiting" and ran["virtual_seconds"] == 0, ran
        code, ran = tongban.run(waits, "--fast-forward")
        assert code == 3 and ran["virtual_seconds"] == 10800, ran
        code, ran = tongban.run(waits, "--fast-forward", "--event", event)
        assert code == 0 and ran["output"] == {"heard": 7} and ran["virtual_seconds"] == 10800, ran


def test_invalid_documents_exit_2_with_their_place(context):
    with shell(context) as tongban:
        broken, plain = tongban.write("broken.yaml", BROKEN), tongban.write("plain.yaml", PLAIN)
        code, out, _ = tongban("check", broken)
        assert code == 2 and "broken.yaml:3:" in out and "sett" in out, out
        assert tongban("check", plain)[0] == 0
        assert tongban("check", plain, broken)[0] == 2
        code, out, _ = tongban("check", broken, "--format", "json")
        assert code == 2 and json.loads(out)
        code, out, _ = tongban("check", broken, "--format", "sarif")
        assert code == 2 and json.loads(out)["version"] == "2.1.0"
        assert tongban("run", broken)[0] == 2
        assert tongban("run", "missing.yaml")[0] == 2
        assert tongban("run", plain, "--input", tongban.write("bad.json", "{"))[0] == 2
        assert tongban("nonsense")[0] == 2


class Callee(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = json.dumps({"host": self.headers.get("Host"), "path": self.path}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def test_resolve_allows_one_host_and_nothing_else(context):
    callee = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Callee)
    threading.Thread(target=callee.serve_forever, daemon=True).start()
    try:
        with shell(context) as tongban:
            calls = tongban.write("calls.yaml", CALLS)
            code, ran = tongban.run(calls)
            assert code == 1 and ran["status"] == "faulted", f"without --resolve no host may be called: {ran}"
            code, ran = tongban.run(calls, "--resolve", f"data.example=127.0.0.1:{callee.server_address[1]}")
            assert code == 0 and ran["output"]["path"] == "/answer" and ran["output"]["host"].startswith("data.example"), ran
    finally:
        callee.shutdown()
        callee.server_close()


def test_scenarios_exit_0_or_1(context):
    with shell(context) as tongban:
        root = Path(__file__).resolve().parent.parent.parent
        shutil.copytree(root / "workflows", tongban.folder / "workflows")
        shutil.copytree(root / "config", tongban.folder / "config")
        code, out, error = tongban("test", "workflows/sharing", "--only", "无条件共享")
        assert code == 0 and "1 passed, 0 failed" in out, out + error
        path = tongban.folder / "workflows/sharing/tests/apply.test.yaml"
        text = path.read_text("utf-8")
        assert "outcome: granted" in text
        path.write_text(text.replace("outcome: granted", "outcome: never"), "utf-8")
        code, out, error = tongban("test", "workflows/sharing", "--only", "无条件共享")
        assert code == 1 and "0 passed, 1 failed" in out, out + error
