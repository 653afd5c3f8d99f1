"""What outside goes slow or stands still, inside goes on: silent clients, relays and callees that hang, connections
to the database that are cut; and a stop that ends in time and leaves everything in order."""

import contextlib
import os
import signal
import socket
import sqlite3
import threading
from pathlib import Path

import crash_tests
from harness import MailServer, begin, free_port, postgres, psql, site, wait_for_status, wait_until
from outside_tests import add_settings, add_workflow, connect

# Half of what most keepers of processes wait before they kill one.
STOP_SECONDS = 15


@contextlib.contextmanager
def listener(talk, port):
    """A server that gives each of its connections to a function; the connections that came."""
    taken = []
    server = socket.create_server(("127.0.0.1", port))

    def one(connection):
        with contextlib.suppress(OSError), connection:
            talk(connection)

    def run():
        with contextlib.suppress(OSError):
            while True:
                connection, _ = server.accept()
                taken.append(connection)
                threading.Thread(target=one, args=(connection,), daemon=True).start()

    threading.Thread(target=run, daemon=True).start()
    try:
        yield taken
    finally:
        # Closing alone wakes nobody who waits in accept or recv.
        for each in (server, *taken):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
        server.close()


def says_nothing(connection):
    while connection.recv(4096):
        pass


def says_yes(connection):
    connection.recv(65536)
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")


def open_sockets(server):
    """Sockets only: the database opens further files of its own when it is first read."""
    folder, count = f"/proc/{server.process.pid}/fd", 0
    for name in os.listdir(folder):
        with contextlib.suppress(FileNotFoundError):
            count += os.readlink(f"{folder}/{name}").startswith("socket:")
    return count


def test_silent_and_stalled_clients_are_let_go(context):
    with site(context.binary) as where:
        add_settings(where, "limits: { headerSeconds: 1, requestSeconds: 2 }\n")
        server = where.start()
        before = open_sockets(server)
        clients = []
        for first in (b"", b"P", b"PRI * HTTP/2.0\r\n", b"GET / HTTP/1.1\r\nHost: x\r\n", b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"):
            client = socket.create_connection(("127.0.0.1", where.port))
            client.sendall(first)
            clients.append(client)
        # Asks for much more than buffers hold, and reads none of it.
        client = socket.socket()
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.connect(("127.0.0.1", where.port))
        client.sendall(b"GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n" * 400)
        clients.append(client)
        wait_until("all are taken", lambda: open_sockets(server) > before)
        wait_until("all are let go", lambda: open_sockets(server) <= before, 20)
        assert where.client().get("/healthz").status == 200
        for client in clients:
            client.close()


def test_a_stop_beside_hanging_callees_ends_in_time_and_in_order(context):
    relay, callee = free_port(), free_port()
    with site(context.binary, smtp_port=relay) as where:
        connect(where, callee)
        call = "{ call: http, with: { method: post, endpoint: 'http://127.0.0.1:%d/in', body: { n: 1 } } }" % callee
        add_workflow(where, "later", f"  - send: {call}\n")
        key = where.key("li-na", "transport")
        where.tongban("user", "password", "li-na", stdin="a-long-pass-phrase")
        server = where.start()
        client = where.client(key)
        with listener(says_nothing, relay) as mails, listener(says_nothing, callee) as calls:
            case = begin(client, "probe/later", {"tag": "hangs"})["id"]
            begin(client, "probe/letters", {"tag": "hangs", "scene": "路面检查时核对车辆"})
            where.client().sign_in("li-na", "a-long-pass-phrase")
            wait_until("the callee and the relay are being waited for", lambda: calls and mails)
            with socket.create_connection(("127.0.0.1", where.port)):
                server.process.send_signal(signal.SIGTERM)
                assert server.process.wait(STOP_SECONDS) == 0, server.log()[-2000:]
        assert not Path(f"{where.sqlite}-wal").exists(), "the log is folded into the file"
        with contextlib.closing(sqlite3.connect(where.sqlite)) as database:
            chains = database.execute("SELECT COUNT(*), COUNT(closed_at_ms), COUNT(head) FROM audit_chain").fetchone()
        assert chains[0] > 0 and len(set(chains)) == 1, f"chains, closed, sealed: {chains}"

        # What hung is done once others can take it, and not long after.
        smtp = MailServer(relay)
        try:
            with listener(says_yes, callee):
                where.start()
                wait_for_status(client, case)
                smtp.wait_for("zhao-min")
        finally:
            smtp.stop()


def test_a_locked_file_makes_people_wait_and_nothing_more(context):
    with site(context.binary) as where:
        key = where.key("li-na", "transport")
        where.start()
        client = where.client(key)
        begin(client, "probe/ask", {"tag": "before"})
        with contextlib.closing(sqlite3.connect(where.sqlite, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            started = threading.Thread(target=begin, args=(client, "probe/ask", {"tag": "beside"}, "beside"))
            started.start()
            assert client.get("/api/v1/instances").status == 200, "reading goes on"
            other.execute("ROLLBACK")
        started.join(30)
        titles = [case["title"] for case in client.get("/api/v1/instances").json()["items"]]
        assert sorted(titles) == ["before", "beside"], titles


def test_connections_that_are_cut_lose_nothing(context):
    with postgres() as url, site(context.binary, database=url) as where:

        def cut(server):
            ours = "datname = current_database() AND pid <> pg_backend_pid()"
            psql(url, f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {ours}")
            return server

        crash_tests.crash(where, cut)
