#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Adds up KTAP logs: ktap_sum.py [--summary] LOG...

Room: build. Reads logs that test.sh wrote, lists what failed, and closes with one
line "N passed, N failed, N skipped". Exit status 1 when anything failed or nothing
ran. With --summary only the three numbers, for scripts.

A log must end with "# exit 0". Each stream in it, begun by "KTAP version 1", must have
a plan and as many results as planned; otherwise one failure is counted for it. Of
nested results only the innermost count, unless a parent failed while its children
passed.
"""
import re
import sys

TIMESTAMP = re.compile(r"^\[ *\d+\.\d+\] ?")
HEADER = re.compile(r"^K?TAP version \d+$")
COMMENT = re.compile(r"^#\s+(?:Subtest: )?(.*)$")
PLAN = re.compile(r"^1\.\.(\d+)\s*(#\s*SKIP.*)?$", re.I)
RESULT = re.compile(r"^(not )?ok\b\s*\d*\s*(?:- )?(.*?)(?:\s+#\s*(SKIP)\b.*)?$", re.I)
EXIT = re.compile(r"^# exit (\d+)$")
INDENT = 4


class Level:
    """The results at one depth below one parent."""

    def __init__(self, depth):
        self.depth = depth
        self.name = None
        self.plan = None
        self.seen = 0
        self.failed = 0

    def complaint(self):
        """Why the plan does not hold, or None.

        KUnit of 6.1 prints no plan for the parameters of one case, its third level.
        """
        if self.plan is None:
            return "no plan" if self.depth < 2 else None
        if self.plan != self.seen:
            return f"{self.plan} results planned, {self.seen} seen"
        return None


class Log:
    """One KTAP log and what it counts."""

    def __init__(self, name):
        self.name = name
        self.passed = self.skipped = 0
        self.failures = []
        self.levels = []
        self.exit = None

    def fail(self, what):
        names = [level.name for level in self.levels if level.name]
        self.failures.append(": ".join([self.name, *names, what]))

    def level(self, depth):
        while len(self.levels) <= depth:
            self.levels.append(Level(len(self.levels)))
        return self.levels[depth]

    def close(self, depth):
        """Ends all levels from depth on; returns (results, failures) of the first."""
        results = failed = 0
        while len(self.levels) > depth:
            level = self.levels[-1]
            why = level.complaint()
            if why:
                self.fail(why)
            results = level.seen
            failed += level.failed + bool(why)
            self.levels.pop()
        return results, failed

    def label(self, depth, text):
        """The first comment at a level says what its results are about."""
        level = self.level(depth)
        if not level.name and not level.seen:
            level.name = text

    def result(self, depth, failed, text, skip):
        children, child_failures = self.close(depth + 1)
        level = self.level(depth)
        level.seen += 1
        level.failed += failed
        if failed and not child_failures:
            self.fail(text or "(no name)")
        elif not failed and child_failures:
            level.failed += 1
        elif skip:
            self.skipped += 1
        elif not failed and not children:
            self.passed += 1

    def line(self, raw):
        text = TIMESTAMP.sub("", raw.rstrip())
        body = text.lstrip(" ")
        depth = (len(text) - len(body)) // INDENT
        if match := EXIT.match(text):
            self.exit = int(match[1])
        elif HEADER.match(body) and depth == 0:
            self.close(0)
        elif match := COMMENT.match(body):
            self.label(depth, match[1])
        elif match := PLAN.match(body):
            self.level(depth).plan = int(match[1])
            if match[2]:
                self.skipped += 1
        elif body.startswith("Bail out!"):
            self.fail(body)
        elif match := RESULT.match(body):
            self.result(depth, bool(match[1]), match[2], match[3])

    def finish(self):
        self.level(0)
        self.close(0)
        if self.exit is None:
            self.fail("did not run to its end")
        elif self.exit and not self.failures:
            self.fail(f"exited with {self.exit} without a failed result")


def read(path):
    log = Log(path)
    with open(path, errors="replace") as lines:
        for raw in lines:
            log.line(raw)
    log.finish()
    return log


def main(paths):
    summary = paths[:1] == ["--summary"]
    logs = [read(path) for path in paths[summary:]]
    failures = [failure for log in logs for failure in log.failures]
    passed = sum(log.passed for log in logs)
    skipped = sum(log.skipped for log in logs)
    if summary:
        print(passed, len(failures), skipped)
        return 0
    for failure in failures:
        print("failed:", failure)
    print(f"{passed} passed, {len(failures)} failed, {skipped} skipped")
    return 1 if failures or not passed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
