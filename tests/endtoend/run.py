#!/usr/bin/env python3
"""End-to-end tests against the real binary: run.py --binary PATH [WORD…]. Words choose tests by name.

One line for each test, `N passed, M failed` last, exit code 1 when one failed. Standard library only, but for the
SMTP server, which runs in a process of its own (TONGBAN_TEST_PYTHON).
"""

import argparse
import concurrent.futures
import io
import sys
import threading
import time
import traceback

import cluster_tests
import command_tests
import crash_tests
import demo_tests
import endurance_tests
import isolation_tests
import limits_tests
import mail_tests
import outside_tests

MODULES = [
    mail_tests,
    outside_tests,
    demo_tests,
    crash_tests,
    cluster_tests,
    endurance_tests,
    isolation_tests,
    limits_tests,
    command_tests,
]
# Tests mostly wait for timers and mails; two at a time keep two cores busy.
AT_ONCE = 2


class PerThread(io.TextIOBase):
    """Keeps what each test prints with its test."""

    def __init__(self, real):
        self.real, self.local = real, threading.local()

    def write(self, text):
        kept = getattr(self.local, "kept", None)
        return kept.write(text) if kept is not None else self.real.write(text)

    def flush(self):
        self.real.flush()


def tests(words):
    for module in MODULES:
        for name, test in vars(module).items():
            if name.startswith("test_") and (not words or any(word in name for word in words)):
                yield name, test


def play(name, test, context):
    kept = sys.stdout.local.kept = io.StringIO()
    began, failure = time.monotonic(), None
    try:
        test(context)
    except Exception:  # noqa: BLE001: any failure of a test is told, none ends the run
        failure = traceback.format_exc()
    finally:
        sys.stdout.local.kept = None
    return name, time.monotonic() - began, failure, kept.getvalue()


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--binary", default="target/debug/tongban")
    arguments.add_argument("--at-once", type=int, default=AT_ONCE)
    arguments.add_argument("words", nargs="*")
    context = arguments.parse_args()
    sys.stdout = PerThread(sys.stdout)
    failed = passed = 0
    with concurrent.futures.ThreadPoolExecutor(context.at_once) as pool:
        running = [pool.submit(play, name, test, context) for name, test in tests(context.words)]
        for future in concurrent.futures.as_completed(running):
            name, seconds, failure, said = future.result()
            print(f"{'FAILED' if failure else 'ok    '} {name} ({seconds:.1f} s)\n{said}", end="")
            if failure:
                failed += 1
                print("    " + failure.replace("\n", "\n    ").rstrip())
            else:
                passed += 1
            sys.stdout.flush()
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
