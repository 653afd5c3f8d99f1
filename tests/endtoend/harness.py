"""What the end-to-end tests share: servers of the real binary, an SMTP server, HTTP without any library."""

import contextlib
import email
import email.policy
import hashlib
import html.parser
import http.client
import json
import os
import re
import secrets
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
VENV = ROOT / "target/tests/venv/bin/python"
PYTHON = os.environ.get("TONGBAN_TEST_PYTHON") or (str(VENV) if VENV.exists() else sys.executable)


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

    def post_form(self, path, fields):
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Origin": f"http://127.0.0.1:{self.port}"}
        return self.send("POST", path, urllib.parse.urlencode(fields).encode(), headers)

    def submit(self, page, act, path=None, **changes):
        """Sends the form of a page that has the button `act`, as a browser without JavaScript would."""
        for form in forms_of(page):
            if act in form.buttons or (path and form.action == path):
                fields = [pair for pair in form.fields if pair[0] not in changes]
                fields += [(name, value) for name, value in changes.items() if value is not None]
                if act in form.buttons:
                    fields.append((form.buttons[act], act))
                return self.post_form(form.action, fields)
        raise AssertionError(f"no form of the page has the button {act!r}: {page[:2000]}")

    def sign_in(self, user, password):
        answer = self.submit(self.get("/sign-in").text(), None, path="/sign-in", user=user, password=password)
        assert answer.status in (302, 303), f"{user} cannot sign in: {answer.status} {answer.text()[:400]}"
        return self


class FormOfPage:
    """One form: where it goes, what a browser would send, its buttons by value."""

    def __init__(self, action):
        self.action, self.fields, self.buttons = action, [], {}


class FormReader(html.parser.HTMLParser):
    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.forms, self.textarea, self.select = [], None, None

    def handle_starttag(self, tag, attributes):
        found = dict(attributes)
        if tag == "form":
            self.forms.append(FormOfPage(found.get("action", "")))
        if not self.forms:
            return
        form, name, value = self.forms[-1], found.get("name"), found.get("value") or ""
        if tag == "input" and name:
            kind = found.get("type", "text")
            if kind in ("checkbox", "radio"):
                if "checked" in found:
                    form.fields.append((name, value or "on"))
            else:
                form.fields.append((name, value))
        elif tag == "button" and name:
            form.buttons[value] = name
        elif tag == "textarea" and name:
            self.textarea = (name, [])
        elif tag == "select" and name:
            self.select = (name, [], "multiple" in found)
        elif tag == "option" and self.select:
            self.select[1].append((value, "selected" in found))

    def handle_data(self, data):
        if self.textarea:
            self.textarea[1].append(data)

    def handle_endtag(self, tag):
        if tag == "textarea" and self.textarea:
            name, text = self.textarea
            self.forms[-1].fields.append((name, "".join(text).removeprefix("\n")))
            self.textarea = None
        elif tag == "select" and self.select:
            name, options, multiple = self.select
            chosen = [value for value, selected in options if selected]
            if not chosen and options and not multiple:
                chosen = [options[0][0]]
            self.forms[-1].fields += [(name, value) for value in chosen]
            self.select = None


def forms_of(page):
    """The forms of a page."""
    reader = FormReader()
    reader.feed(page)
    return reader.forms


def hidden_fields(page):
    """What the forms of a page send without anybody filling them in."""
    return {name: value for form in forms_of(page) for name, value in form.fields}


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

    def __init__(self, port=None):
        self.port = port or free_port()
        self.folder = Path(tempfile.mkdtemp(prefix="tongban-mail-"))
        script = HERE / "smtp_server.py"
        self.process = subprocess.Popen([PYTHON, str(script), str(self.port), str(self.folder)])

        def open_port():
            assert self.process.poll() is None, f"{PYTHON} {script} ended: is aiosmtpd there?"
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return True

        wait_until("the SMTP server", open_port)

    def mails(self, to=None):
        """The mails so far, oldest first; those to one person when `to` begins an address."""
        read = [
            email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
            for path in sorted(self.folder.glob("*.eml"))
        ]
        return [mail for mail in read if to is None or to in mail["To"]]

    def wait_for(self, to, count=1, seconds=60):
        return wait_until(f"mail {count} to {to}", lambda: self.mails(to)[count - 1 : count], seconds)[0]

    def stop(self):
        self.process.terminate()
        self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


def mail_text(mail, kind="plain"):
    return mail.get_body((kind,)).get_content()


def link_of(mail):
    """The decision link of a mail, as a path."""
    found = re.search(r"http://[^/\s]+(/link/[\w.-]+)", mail_text(mail))
    assert found, f"no link in the mail: {mail_text(mail)}"
    return found.group(1)


EVERYTHING = ("start", "view", "work", "events", "registers", "intervene")


class Site:
    """A scratch site: the repository's config and packs, the probe pack, settings of its own."""

    def __init__(self, binary, database=None, smtp_port=None, people=(), groups=None):
        self.binary = str(Path(binary).resolve())
        self.folder = Path(tempfile.mkdtemp(prefix="tongban-site-"))
        self.port, self.servers = free_port(), []
        shutil.copytree(ROOT / "config", self.folder / "config")
        shutil.copytree(ROOT / "workflows", self.folder / "workflows")
        shutil.copytree(HERE / "packs" / "probe", self.folder / "workflows" / "probe")
        (self.folder / "data" / "secrets").mkdir(parents=True)
        self.sqlite = None if database else self.folder / "data" / "tongban.db"
        self.database = database or f"sqlite://{self.sqlite}"
        lines = [
            f"listen: 127.0.0.1:{self.port}",
            f"url: http://127.0.0.1:{self.port}",
            f"database: {self.database}",
            f"mail: {{ from: tongban@city.example, retrySeconds: 1{self.relay(smtp_port)} }}",
        ]
        (self.folder / "config" / "tongban.yaml").write_text("\n".join(lines) + "\n")
        self.add_people(people, groups or {})

    @staticmethod
    def relay(port):
        return f", smtp: {{ host: 127.0.0.1, port: {port}, tls: none }}" if port else ""

    def add_people(self, people, groups):
        path = self.folder / "config" / "organisation.yaml"
        text = path.read_text("utf-8")
        added = [f"  - {{ id: {person}, name: {person}, email: {person}@data.example, unit: data-bureau }}\n" for person in people]
        text = text.replace("people:\n", "people:\n" + "".join(added), 1)
        members = {"signers": ["li-na", "zhao-min"], **groups}
        added = [f"  - {{ id: {group}, title: {group}, members: [{', '.join(who)}] }}\n" for group, who in members.items()]
        path.write_text(text.replace("groups:\n", "groups:\n" + "".join(added), 1), "utf-8")

    def tongban(self, *arguments, stdin="", check=True, environment=None):
        """Runs one command of the binary on this site."""
        done = subprocess.run(
            [self.binary, *arguments],
            cwd=self.folder,
            env={**os.environ, "TONGBAN_SITE": str(self.folder), **(environment or {})},
            input=stdin,
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert not check or done.returncode == 0, f"{arguments} exits {done.returncode}: {done.stderr}"
        return done

    def key(self, person=None, unit=None, scopes=EVERYTHING):
        """Makes an API key; on SQLite the server must not run."""
        bound = (["--person", person] if person else []) + (["--unit", unit] if unit else [])
        return self.tongban("key", "add", "endtoend", *bound, "--scope", ",".join(scopes)).stdout.strip()

    def keys_of(self, people):
        """Keys for many people at once, written as the server would write them."""
        made, rows = {}, []
        for person in people:
            prefix = secrets.token_hex(4)
            made[person] = f"tb_{prefix}_{secrets.token_urlsafe(32)}"
            digest = hashlib.sha256(made[person].encode()).hexdigest()
            rows.append((digest, prefix, "endtoend", person, json.dumps(["view", "work"])))
        statement = "INSERT INTO api_key (hash, prefix, name, person_id, scopes, created_at_ms) VALUES "
        if self.sqlite:
            with contextlib.closing(sqlite3.connect(self.sqlite)) as database:
                database.executemany(statement + "(?, ?, ?, ?, ?, 0)", rows)
                database.commit()
        else:
            psql(self.database, statement + ", ".join("('%s', '%s', '%s', '%s', '%s', 0)" % row for row in rows))
        return made

    def start(self, port=None):
        """Starts a server of this site; another port makes it a second one."""
        port = port or self.port
        log = self.folder / f"server-{port}.log"
        server = Server(
            self.binary, ["serve", "--site", str(self.folder)], {"TONGBAN_LISTEN": f"127.0.0.1:{port}"}, self.folder, log
        )
        self.servers.append(server)
        return server.start(port)

    def client(self, key=None, port=None):
        return Client(port or self.port, key)

    def close(self):
        for server in self.servers:
            if server.process and server.process.poll() is None:
                server.kill()
        shutil.rmtree(self.folder, ignore_errors=True)


@contextlib.contextmanager
def site(binary, **settings):
    made = Site(binary, **settings)
    try:
        yield made
        for server in made.servers:
            said = [line for line in server.log().splitlines() if "panicked" in line or "ERROR" in line]
            assert not said, f"the log of the server on {server.port}: {said[:3]}"
    except BaseException:
        for server in made.servers:
            with contextlib.suppress(OSError):
                print(f"--- log of the server on {server.port}\n{server.log()[-4000:]}", file=sys.stderr)
        raise
    finally:
        made.close()


def psql(url, statement):
    """Runs SQL on PostgreSQL with the client that comes with the server."""
    program = shutil.which("psql") or sorted(map(str, Path("/usr/lib/postgresql").glob("*/bin/psql")))[-1]
    done = subprocess.run([program, "-qAt", "-v", "ON_ERROR_STOP=1", "-d", url, "-c", statement], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@contextlib.contextmanager
def postgres():
    """A fresh database of the tests' PostgreSQL; its URL."""
    administrator = os.environ.get("TONGBAN_TEST_POSTGRES")
    assert administrator, "TONGBAN_TEST_POSTGRES is not set: TONGBAN_TEST_POSTGRES=$(tests/postgres.sh start)"
    name = f"endtoend_{secrets.token_hex(6)}"
    psql(administrator, f"CREATE DATABASE {name}")
    try:
        yield administrator.rsplit("/", 1)[0] + f"/{name}"
    finally:
        psql(administrator, f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


def begin(client, workflow, body, key=None):
    """Starts a case and gives what the API said."""
    headers = {"Idempotency-Key": key} if key else {}
    answer = client.post(f"/api/v1/workflows/{workflow}/instances", {"input": body}, headers=headers)
    assert answer.status == 201, f"{workflow} does not start: {answer.status} {answer.text()}"
    return answer.json()


def instance(client, id):
    answer = client.get(f"/api/v1/instances/{id}")
    assert answer.status == 200, f"{answer.status} {answer.text()}"
    return answer.json()


def wait_for_status(client, id, status="completed", seconds=60):
    def there():
        found = instance(client, id)
        ended = found["status"] in ("completed", "faulted", "cancelled")
        assert not ended or found["status"] == status, f"the case is {found['status']}: {found['error']}"
        return found["status"] == status and found

    return wait_until(f"the case is {status}", there, seconds)


def pages(client, path):
    """Every entry of a list."""
    found, cursor = [], None
    while True:
        mark = "&" if "?" in path else "?"
        answer = client.get(path + mark + "limit=200" + (f"&cursor={urllib.parse.quote(cursor)}" if cursor else ""))
        assert answer.status == 200, f"{path}: {answer.status} {answer.text()}"
        page = answer.json()
        found += page["items"]
        cursor = page.get("next")
        if not cursor:
            return found


def item_of(client, id, seconds=60):
    """The work item of a case that waits for the key's person."""

    def there():
        return next((item for item in pages(client, "/api/v1/work-items") if item["instance"] == id), None)

    return wait_until("a work item of the case", there, seconds)


def decide(client, item, outcome="approved", **more):
    return client.post(f"/api/v1/work-items/{item['id']}/decision", {"outcome": outcome, **more})




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
