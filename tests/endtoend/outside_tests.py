"""What leaves the machine: calls to a callee that is down, lifecycle events for a sink, processes of the machine."""

import contextlib
import http.server
import json
import os
import threading
import urllib.request
from pathlib import Path

from harness import begin, free_port, instance, site, wait_for_status, wait_until

HEAD = (
    "document: {{ dsl: '1.0.3', namespace: probe, name: {name}, version: '1.0.0', title: 试验, "
    "metadata: {{ case: {{ title: '${{ $form.tag }}' }} }} }}\n"
    "input: {{ schema: {{ document: {{ $ref: forms/tag.yaml }} }} }}\n"
    "do:\n"
)


def add_workflow(where, name, tasks):
    path = where.folder / f"workflows/probe/workflows/{name}.yaml"
    path.write_text(HEAD.format(name=name) + tasks, "utf-8")


def add_settings(where, text):
    with (where.folder / "config/tongban.yaml").open("a", encoding="utf-8") as file:
        file.write(text)


def connect(where, port, more=""):
    (where.folder / "config/connectors.yaml").write_text(
        "connectors: { '*': { outside: { scheme: http, host: 127.0.0.1, port: %d, addresses: [127.0.0.1]%s } } }\n" % (port, more)
    )


@contextlib.contextmanager
def outside(port=0):
    """A server that notes what it is sent and answers 200."""
    seen = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            seen.append(({name.lower(): value for name, value in self.headers.items()}, json.loads(body or b"null")))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.server_address[1], seen
    finally:
        server.shutdown()
        server.server_close()


def test_lifecycle_events_reach_the_sink(context):
    with outside() as (port, seen), site(context.binary) as where:
        connect(where, port)
        (where.folder / "data/secrets/sinkToken").write_text("sink-token\n")
        add_settings(
            where,
            f"events: {{ lifecycle: tasks, sink: {{ uri: 'http://127.0.0.1:{port}/in', secret: sinkToken, outputs: true }} }}\n",
        )
        add_workflow(where, "short", "  - one: { set: { n: 1 } }\n  - bad: { raise: { error: { type: 'https://x.example/bad', status: 400, title: bad } } }\n")
        key = where.key("li-na", "transport")
        where.start()
        client = where.client(key)
        case = begin(client, "probe/short", {"tag": "sink"})["id"]
        wait_for_status(client, case, "faulted")
        wait_until("the sink has the last event", lambda: any("workflow.faulted" in event["type"] for _, event in seen))
        short = [event["type"].removeprefix("io.serverlessworkflow.").removesuffix(".v1") for _, event in seen]
        wanted = ["workflow.started", "task.created", "task.started", "task.completed", "task.created", "task.started", "task.faulted", "workflow.faulted"]
        assert short == wanted, short
        headers, started = seen[0]
        assert headers["authorization"] == "Bearer sink-token"
        assert headers["content-type"].startswith("application/cloudevents+json")
        assert started["data"]["name"] == f"short-{case}.probe", started
        assert seen[-1][1]["data"]["error"]["title"] == "bad"
        assert seen[3][1]["data"]["task"] == "/do/0/one"


def test_acts_wait_for_a_callee_that_is_down(context):
    port = free_port()
    with site(context.binary) as where:
        connect(where, port, ", circuit: { failures: 2, seconds: 2 }")
        call = "{ call: http, with: { method: post, endpoint: 'http://127.0.0.1:%d/in', body: { n: 1 } } }" % port
        add_workflow(
            where,
            "send",
            f"  - send: {{ try: [ {{ go: {call} }} ], catch: {{ retry: {{ delay: {{ milliseconds: 10 }}, limit: {{ attempt: {{ count: 2 }} }} }}, do: [ {{ no: {{ set: {{ sent: false }} }} }} ] }} }}\n",
        )
        add_workflow(where, "later", f"  - send: {call}\n")
        key = where.key("li-na", "transport")
        where.start()
        client = where.client(key)
        wait_for_status(client, begin(client, "probe/send", {"tag": "down"})["id"])
        case = begin(client, "probe/later", {"tag": "waits"})["id"]

        def held():
            waiting = instance(client, case)["waiting"]
            return waiting and waiting[0].get("held")

        why = wait_until("the call is held back", held)
        assert "waits for `*/outside`" in why and "left alone" in why, why
        with outside(port) as (_, seen):
            wait_for_status(client, case)
            assert len(seen) == 1, seen
            assert seen[0][0]["idempotency-key"]


def test_processes_only_where_the_site_allows_them(context):
    with site(context.binary) as where:
        marks = where.folder / "marks"
        marks.mkdir()
        add_workflow(where, "shell", f"  - run: {{ run: {{ shell: {{ command: 'echo $$ > {marks}/group; sleep 600' }} }} }}\n")
        done = where.tongban("check", "workflows/probe", check=False)
        assert done.returncode == 2 and "run.shell" in done.stdout + done.stderr, done
        add_settings(where, "run: { shell: { allowed: ['*'] } }\n")
        assert where.tongban("check", "workflows/probe").returncode == 0
        key, operator = where.key("li-na", "transport"), where.key("admin")
        where.start()
        case = begin(where.client(key), "probe/shell", {"tag": "shell"})["id"]
        group = int(wait_until("the process has begun", lambda: read(marks / "group")))
        answer = where.client(operator).post(f"/api/v1/instances/{case}/cancel", {"reason": "no longer wanted"})
        assert answer.status in (200, 202, 204), answer.text()
        wait_until("the whole group is gone", lambda: not alive(group))
        assert instance(where.client(key), case)["status"] == "cancelled"


def read(path):
    return Path(path).read_text().strip() if Path(path).exists() else None


def alive(group):
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def test_counters_for_who_shows_the_token(context):
    with site(context.binary) as where:
        (where.folder / "data/metrics").write_text("a-token-of-some-length\n")
        add_settings(where, "metrics: { tokenFile: ../data/metrics }\n")
        where.start()
        assert where.client().get("/metrics").status == 401
        request = urllib.request.Request(
            f"http://127.0.0.1:{where.port}/metrics", headers={"Authorization": "Bearer a-token-of-some-length"}
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            assert b"tongban_acts_total" in answer.read()
