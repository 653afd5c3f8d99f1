"""The demonstration as the README tells it: an application by curl, a mail, a link, decisions by the right people."""

import json
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from harness import ROOT, Client, Server, free_port, hidden_fields, pages, wait_for_status, wait_until


def curl_of_readme(port, data):
    """The README's example, word for word; only the port and the data folder differ."""
    text = (ROOT / "README.md").read_text("utf-8")
    command = re.search(r"```sh\n(curl .*?)```", text, re.DOTALL).group(1)
    return command.replace("127.0.0.1:8080", f"127.0.0.1:{port}").replace("data/demo", str(data))


def curl(command):
    done = subprocess.run(
        ["bash", "-c", command.rstrip() + " -w '\\n%{http_code}'"], capture_output=True, text=True, timeout=60, cwd=ROOT
    )
    assert done.returncode == 0, done.stderr
    body, status = done.stdout.rsplit("\n", 1)
    assert status == "201", f"{status}: {body}"
    return json.loads(body)


def mails_to(client, person):
    rows = [row for row in pages(client, f"/api/v1/mailbox?person={person}") if row["status"] == "sent"]
    return [client.get(f"/api/v1/mailbox/{row['id']}").json() for row in rows]


def newest_link(client, person, count):
    """The link of the newest of a person's mails, once there are `count` with one."""

    def there():
        found = [mail for mail in mails_to(client, person) if "/link/" in mail["text"]]
        return len(found) >= count and re.search(r"(/link/[\w.-]+)", found[0]["text"]).group(1)

    return wait_until(f"mail {count} to {person}", there)


def decide_in_console(port, password, person, case):
    """Signs in, finds the item in the inbox, decides on its page: forms only, no script."""
    browser = Client(port).sign_in(person, password)

    def listed():
        found = re.findall(rf'href="(/items/{case}/\d+)"', browser.get("/inbox").text())
        return found and found[0]

    address = wait_until(f"the inbox of {person} shows the case", listed)
    page = browser.get(address)
    assert page.status == 200, page.status
    nothing = browser.submit(page.text(), "decide")
    assert nothing.status == 422, f"a decision without an outcome is refused, not {nothing.status}"
    done = browser.submit(page.text(), "decide", _outcome="approved")
    assert done.status in (302, 303), f"{person}: {done.status} {done.text()[:1500]}"


def test_demo_the_main_job(context):
    folder = Path(tempfile.mkdtemp(prefix="tongban-demo-"))
    port, data = free_port(), folder / "demo"
    server = Server(context.binary, ["demo", "--data", str(data), "--listen", f"127.0.0.1:{port}"], log=folder / "log")
    try:
        server.start(port)
        wait_until("the greeting", lambda: "Sign in" in server.log())
        main_job(port, data, server.log())
        server.stop()
    finally:
        if server.process.poll() is None:
            server.kill()
        shutil.rmtree(folder, ignore_errors=True)


def main_job(port, data, greeting):
    password = re.search(r"password of everybody: (\S+?)\)", greeting).group(1)
    for word in (f"http://127.0.0.1:{port}", "li-na", "zhao-min", "/mailbox", "curl"):
        assert word in greeting, f"the greeting does not say {word}"
    started = curl(curl_of_readme(port, data))
    again = curl(curl_of_readme(port, data))
    assert again["id"] == started["id"] and again["number"] == started["number"], "the same key gives the same case"
    client = Client(port, (data / "api-key").read_text().strip())
    case = started["id"]

    link = newest_link(client, "zhao-min", 1)
    scanner = Client(port)
    for _ in range(50):
        assert scanner.get(link).status == 200
        assert scanner.send("HEAD", link).status in (200, 405)
        scanner.send("OPTIONS", link)
    before = client.get(f"/api/v1/instances/{case}").json()
    assert [task["task"] for task in before["waiting"]] == ["ownReview"], "looking decides nothing"
    bare = scanner.post_form(link, {"_outcome": "approved", "_act": "decide"})
    assert bare.status == 403, f"a post that comes from no page of ours decides nothing: {bare.status}"
    visitor = Client(port)
    page = visitor.get(link).text()
    done = visitor.submit(page, "decide", _outcome="approved")
    assert done.status == 200, f"{done.status} {done.text()[:1500]}"
    wait_until(
        "the decision is in the case",
        lambda: [task["task"] for task in client.get(f"/api/v1/instances/{case}").json()["waiting"]] == ["formCheck"],
    )

    for person in ("wang-lei", "chen-jie", "liu-bo"):
        decide_in_console(port, password, person, case)
    link = newest_link(client, "zhou-ping", 1)
    visitor = Client(port)
    done = visitor.submit(visitor.get(link).text(), "decide", _outcome="approved")
    assert done.status == 200, f"{done.status} {done.text()[:1500]}"

    ended = wait_for_status(client, case)
    assert ended["output"]["outcome"] == "granted" and ended["output"]["grant"], ended["output"]
    history = pages(client, f"/api/v1/instances/{case}/history")
    actors = {entry["actor"] for entry in history}
    assert {"zhao-min", "wang-lei", "chen-jie", "liu-bo", "zhou-ping"} <= actors, actors
    told = wait_until("the applicant is told", lambda: mails_to(client, "li-na"))
    assert "机动车登记信息" in told[0]["subject"] and started["number"] in told[0]["text"], told[0]
    own = Client(port).sign_in("li-na", password)
    shown = own.get(f"/cases/{case}")
    assert shown.status == 200 and started["number"] in shown.text()
    assert hidden_fields(shown.text()).get("_token"), "the page of the case can be acted on"
    assert "<svg" in own.get(f"/cases/{case}/diagram.svg").text()
