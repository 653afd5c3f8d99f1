"""Mails through a real SMTP server: languages, threads, links, a server that is away for a while."""

import contextlib
import re
import sqlite3

from harness import (
    MailServer,
    begin,
    free_port,
    instance,
    item_of,
    link_of,
    mail_text,
    site,
    wait_for_status,
    wait_until,
)

PEOPLE = ("li-na", "zhao-min")
LETTER = {"tag": "道路运输", "scene": "路面检查时核对车辆"}


@contextlib.contextmanager
def relay(port=None):
    server = MailServer(port)
    try:
        yield server
    finally:
        server.stop()


def main_of(page):
    """What a page says, without what differs for every visitor."""
    return re.sub(r"\s+", " ", re.search(r"<main.*</main>", page, re.DOTALL).group(0))


def test_mail_languages_threads_and_links(context):
    with relay() as smtp, site(context.binary, smtp_port=smtp.port) as where:
        keys = {person: where.key(person, "transport" if person == "li-na" else None) for person in PEOPLE}
        where.start()
        client = {person: where.client(key) for person, key in keys.items()}
        case = begin(client["li-na"], "probe/letters", LETTER)["id"]

        first = smtp.wait_for("zhao-min")
        assert first.get_content_type() == "multipart/alternative", first.get_content_type()
        assert [part.get_content_type() for part in first.iter_parts()] == ["text/plain", "text/html"]
        assert "待办" in first["Subject"] and "信件:道路运输" in first["Subject"], first["Subject"]
        assert link_of(first) in mail_text(first, "html")
        assert first["Auto-Submitted"] == "auto-generated" and first["From"].endswith("tongban@city.example")

        returned_and_decided(where, smtp, client, case, link_of(first))
        english = smtp.wait_for("zhou-ping")
        assert "To do" in english["Subject"] and "Open and decide" in mail_text(english), english["Subject"]
        visitor = where.client()
        done = visitor.submit(visitor.get(link_of(english)).text(), "decide", _outcome="approved")
        assert done.status == 200, done.text()
        wait_for_status(client["li-na"], case)
        told = smtp.wait_for("li-na", 2)
        threads = {mail["References"] for mail in smtp.mails()} | {mail["In-Reply-To"] for mail in smtp.mails()}
        assert len(threads) == 1 and None not in threads, threads
        numbers = [mail["Message-ID"] for mail in smtp.mails()]
        assert len(set(numbers)) == len(numbers) and all(numbers), "every mail once, under a Message-ID of its own"
        assert told["Subject"] == "已办结：信件:道路运输" and "approved" in mail_text(told), told["Subject"]
        forged(where, link_of(first))


def returned_and_decided(where, smtp, client, case, old):
    """Returned to the applicant, sent again: the link of the old round is over, the new one decides."""
    item = item_of(client["zhao-min"], case)
    answer = client["zhao-min"].post(
        f"/api/v1/work-items/{item['id']}/return",
        {"to": "applicant", "fields": [{"field": "scene", "reason": "请写明场景"}]},
    )
    assert answer.status == 200, answer.text()
    again = item_of(client["li-na"], case)
    asked = smtp.wait_for("li-na")
    assert "应用场景：请写明场景" in mail_text(asked), mail_text(asked)
    answer = client["li-na"].post(f"/api/v1/work-items/{again['id']}/resubmission", {"change": {"scene": "路面检查时逐车核对"}})
    assert answer.status == 200, answer.text()
    second = smtp.wait_for("zhao-min", 2)
    new = link_of(second)
    assert new != old
    stale = where.client().get(old)
    assert stale.status in (404, 409) and 'value="decide"' not in stale.text(), "the old round's link offers no decision"
    page = where.client().get(new)
    assert "路面检查时逐车核对" in page.text(), "the new round shows the corrected data"
    visitor, late = where.client(), where.client()
    late_page = late.get(new).text()
    assert visitor.submit(visitor.get(new).text(), "decide", _outcome="approved").status == 200
    answer = late.submit(late_page, "decide", _outcome="rejected", _comment="迟到")
    assert answer.status == 409 and "赵敏" in answer.text(), f"{answer.status} {main_of(answer.text())}"
    assert instance(client["li-na"], case)["waiting"][0]["task"] == "confirm"
    over = where.client().get(new)
    assert over.status == 409 and "赵敏" in over.text() and "同意" in over.text(), main_of(over.text())


def forged(where, link):
    """Every link that is no good shows one page."""
    token = link.rsplit("/", 1)[1]
    other = "A" if token[10] != "A" else "B"
    bad = [token[:10] + other + token[11:], token[:-4], token[:8], "x", "A" * len(token), token + "AAAA"]
    answers = [where.client().get(f"/link/{made}") for made in bad]
    assert {answer.status for answer in answers} == {404}, [answer.status for answer in answers]
    assert len({main_of(answer.text()) for answer in answers}) == 1, "forged links are told apart"


def test_mail_server_down_and_up_again(context):
    port = free_port()
    with site(context.binary, smtp_port=port) as where:
        key = where.key("li-na", "transport")
        where.start()
        case = begin(where.client(key), "probe/letters", LETTER)["id"]

        def attempts():
            with contextlib.closing(sqlite3.connect(f"file:{where.sqlite}?mode=ro", uri=True)) as database:
                return database.execute(
                    "SELECT attempt, status FROM mail WHERE instance_id = ? AND error IS NOT NULL", (case,)
                ).fetchone()

        tried = wait_until("a first attempt fails", attempts)
        assert tried[1] == "waiting", f"a relay that is away is tried again: {tried}"
        with relay(port) as smtp:
            mail = smtp.wait_for("zhao-min", seconds=60)
            assert "/link/" in mail_text(mail)
            wait_until("the mail is sent", lambda: attempts() is None or attempts()[1] == "sent")
            assert len(smtp.mails()) <= 3, "at most N"
            assert len({mail["Message-ID"] for mail in smtp.mails()}) == 1
