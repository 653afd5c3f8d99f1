"""What the end-to-end tests share: servers of the real binary, an SMTP server, HTTP without any library."""

import contextlib
import http.client
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
PYTHON = os.environ.get("TONGBAN_TEST_PYTHON", sys.executable)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until(what, condition, seconds=60):
    """Polls until the condition gives something true; says what did not come."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = condition()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError(f"did not come within {seconds} s: {what}")


class Answer:
    """Status, headers and body of one response."""

    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    def json(self):
        return json.loads(self.body)

    def text(self):
        return self.body.decode("utf-8", "replace")


class Client:
    """Speaks to one server, with an API key or with a session's cookies."""

    def __init__(self, port, key=None):
        self.port, self.key, self.cookies = port, key, {}

    def send(self, method, path, body=None, headers=None, timeout=30):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        headers = dict(headers or {})
        if self.key:
            headers.setdefault("Authorization", f"Bearer {self.key}")
        if self.cookies:
            headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        if isinstance(body, (dict, list)):
            body = json.dumps(body).encode()
            headers.setdefault("Content-Type", "application/json")
        try:
            connection.request(method, path, body=body, headers=headers)
            response = connection.getresponse()
            answer = Answer(response.status, response.headers, response.read())
        finally:
            connection.close()
        for cookie in response.headers.get_all("Set-Cookie") or []:
            name, value = cookie.split(";")[0].split("=", 1)
            self.cookies[name] = value
        return answer

    def get(self, path, **more):
        return self.send("GET", path, **more)

    def post(self, path, body=None, **more):
        return self.send("POST", path, body, **more)

    def post_form(self, path, fields, origin=True):
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        if origin:
            headers["Origin"] = f"http://127.0.0.1:{self.port}"
        return self.send("POST", path, urllib.parse.urlencode(fields).encode(), headers)

    def sign_in(self, user, password):
        page = self.get("/sign-in").text()
        fields = {"user": user, "password": password, **hidden_fields(page)}
        answer = self.post_form("/sign-in", fields)
        assert answer.status in (302, 303), f"{user} cannot sign in: {answer.status} {answer.text()[:400]}"
        return self


def hidden_fields(page):
    """The hidden fields of the page's forms."""
    fields = {}
    for tag in re.findall(r"<input[^>]*>", page):
        attributes = dict(re.findall(r'([\w-]+)="([^"]*)"', tag))
        if attributes.get("type") == "hidden" and "name" in attributes:
            fields[attributes["name"]] = attributes.get("value", "")
    return fields


class Server:
    """One process of the binary."""

    def __init__(self, binary, arguments, environment=None, cwd=ROOT, log=None):
        self.port = None
        self.binary, self.arguments, self.cwd = str(Path(binary).resolve()), arguments, cwd
        self.environment = {**os.environ, **(environment or {})}
        self.log_path = log or tempfile.mktemp(prefix="tongban-", suffix=".log")
        self.process = None

    def start(self, port):
        self.port = port
        log = open(self.log_path, "ab")
        self.process = subprocess.Popen(
            [self.binary, *self.arguments], cwd=self.cwd, env=self.environment, stdout=log, stderr=log
        )
        log.close()

        def ready():
            assert self.process.poll() is None, f"the server ended: {self.log()[-3000:]}"
            with contextlib.suppress(OSError, http.client.HTTPException):
                return Client(port).get("/readyz", timeout=2).status == 200
            return False

        wait_until("the server is ready", ready, 120)
        return self

    def log(self):
        return Path(self.log_path).read_text("utf-8", "replace")

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.kill()
                raise AssertionError("the server did not stop within 30 s of SIGTERM")


class MailServer:
    """A real SMTP server in a process of its own; each mail becomes a file."""

    def __init__(self):
        self.port = free_port()
        self.folder = Path(tempfile.mkdtemp(prefix="tongban-mail-"))
        script = Path(__file__).with_name("smtp_server.py")
        self.process = subprocess.Popen([PYTHON, str(script), str(self.port), str(self.folder)])

        def open_port():
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return True

        wait_until("the SMTP server", open_port)

    def mails(self):
        import email
        import email.policy

        return [
            email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
            for path in sorted(self.folder.glob("*.eml"))
        ]

    def stop(self):
        self.process.terminate()
        self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


def in_parallel(count, work):
    """Runs `work(i)` on `count` threads at once; gives the results or raises the first error."""
    results, errors = [None] * count, []
    barrier = threading.Barrier(count)

    def one(index):
        try:
            barrier.wait()
            results[index] = work(index)
        except Exception as error:  # noqa: BLE001: told to the caller below
            errors.append(error)

    threads = [threading.Thread(target=one, args=(index,)) for index in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]
    return results
