#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""
Checks that recorded traces are well-formed (FORMAT.md) and describes each in a table.

Room: traces. Usage: lint-trace.py [options] TRACE[.zst]...
Stricter than a replay: ids must be dense (always the lowest free one), the headers
that tell the provenance must be there, and every figure in them must be what the
operations add up to. Shares no code with the converter, so that neither vouches for
itself. Exit status: 0 when all traces pass, 1 with FILE: line N: REASON for each
that does not.
"""

import argparse
import collections
import heapq
import re
import statistics
import subprocess
import sys

PROVENANCE = ("recorded-from", "recorded", "recipe")
FIGURES = ("operations", "peak-live-bytes", "peak-live-blocks", "live-at-end",
           "largest-request")
LINE_MAX = 4096  # bytes, with the newline
NUMBER = r"(0|[1-9][0-9]*)"
OPERATION = {
    "a": re.compile(rf"a {NUMBER} {NUMBER}(?: {NUMBER})?"),
    "f": re.compile(rf"f {NUMBER}"),
    "r": re.compile(rf"r {NUMBER} {NUMBER}"),
}


class Fault(Exception):
    """What is wrong with a line."""


class Replay:
    """The trace carried out on sizes alone."""

    def __init__(self):
        self.live = {}  # id -> size
        self.free_ids = []  # heap
        self.counts = collections.Counter()
        self.sizes = []  # of every request
        self.bytes = self.peak_bytes = self.peak_blocks = 0

    def _next_id(self):
        return self.free_ids[0] if self.free_ids else len(self.live)

    def _hold(self, ident, size):
        if size < 1:
            raise Fault("size 0: the smallest request is 1 byte")
        self.sizes.append(size)
        self.bytes += size - self.live.get(ident, 0)
        self.live[ident] = size
        self.peak_bytes = max(self.peak_bytes, self.bytes)
        self.peak_blocks = max(self.peak_blocks, len(self.live))

    def _must_live(self, ident):
        if ident not in self.live:
            raise Fault(f"block {ident} is not allocated")

    def allocate(self, ident, size, align):
        """a ID SIZE [ALIGN]"""
        if ident in self.live:
            raise Fault(f"block {ident} is already allocated")
        if ident != self._next_id():
            raise Fault(f"id {ident}, but the lowest free one is {self._next_id()}")
        if align is not None and (align < 1 or align & (align - 1)):
            raise Fault(f"alignment {align} is not a power of two")
        if self.free_ids:
            heapq.heappop(self.free_ids)
        self._hold(ident, size)

    def free(self, ident):
        """f ID"""
        self._must_live(ident)
        self.bytes -= self.live.pop(ident)
        heapq.heappush(self.free_ids, ident)

    def resize(self, ident, size):
        """r ID SIZE"""
        self._must_live(ident)
        self._hold(ident, size)

    def operation(self, line):
        """Carry out one line."""
        kind = line[:1]
        match = kind in OPERATION and OPERATION[kind].fullmatch(line)
        if not match:
            raise Fault(f"not an operation: {line!r}")
        numbers = [None if n is None else int(n) for n in match.groups()]
        {"a": self.allocate, "f": self.free, "r": self.resize}[kind](*numbers)
        self.counts[kind] += 1

    def figures(self):
        """What the header must say."""
        values = (self.counts.total(), self.peak_bytes, self.peak_blocks, len(self.live),
                  max(self.sizes, default=0))
        return dict(zip(FIGURES, values))


def read_lines(path):
    """Lines of a trace as they come, as bytes; of one that is too long its beginning."""
    if not path.endswith(".zst"):
        with open(path, "rb") as file:
            while line := file.readline(LINE_MAX + 1):
                yield line
        return
    with subprocess.Popen(["zstd", "-dcq", path], stdout=subprocess.PIPE) as run:
        while line := run.stdout.readline(LINE_MAX + 1):
            yield line
    if run.returncode:
        raise Fault("zstd cannot unpack what follows")


def whole(line):
    """The text of a line that is neither too long nor cut short."""
    if len(line) > LINE_MAX:
        raise Fault(f"longer than {LINE_MAX} bytes, begins with {line[:16]!r}; "
                    "split a comment that is too long into several")
    if not line.endswith(b"\n"):
        raise Fault("the line is not ended: the file is cut short")
    return line[:-1].decode()


def read_header(line, headers):
    """# KEY: VALUE"""
    key, colon, value = line[2:].partition(": ")
    if not line.startswith("# ") or not colon or not key or not value.strip():
        raise Fault(f"not a header '# KEY: VALUE': {line!r}")
    if key in headers:
        raise Fault(f"header {key} is given twice")
    headers[key] = value


def check_headers(headers, figures):
    """Provenance is there, figures are true."""
    for key in PROVENANCE + FIGURES:
        if key not in headers:
            raise Fault(f"header {key} is missing")
    for key, value in figures.items():
        if headers[key] != str(value):
            raise Fault(f"header {key} says {headers[key]}, the operations say {value}")


def check_limits(figures, limits):
    """The trace is worth keeping, and fits the pool it is for."""
    if figures["operations"] < limits.min_operations:
        raise Fault(f"{figures['operations']} operations; wanted {limits.min_operations}")
    if figures["peak-live-bytes"] > limits.max_peak:
        raise Fault(f"{figures['peak-live-bytes']} bytes live at the peak; "
                    f"at most {limits.max_peak} fit")


def lint(path, limits):
    """The replay of a trace that passes; else Fault, with the line."""
    number, headers, replay, ended = 0, {}, Replay(), False
    try:
        for number, line in enumerate(read_lines(path), 1):
            line = whole(line)
            if ended:
                raise Fault(f"behind the end: {line!r}")
            if number == 1:
                if line != "tlsf-trace 1":
                    raise Fault(f"not 'tlsf-trace 1': {line!r}")
            elif line.startswith("#"):
                read_header(line, headers)
            elif line == f"end {replay.counts.total()}":
                ended = True
            else:
                replay.operation(line)
        if not ended:
            raise Fault(f"no 'end {replay.counts.total()}' behind it: the file is cut short")
        check_headers(headers, replay.figures())
        check_limits(replay.figures(), limits)
    except Fault as fault:
        raise Fault(f"line {number}: {fault}") from None
    return replay


def describe(path, replay):
    """A short table of what the trace holds."""
    counts, sizes = replay.counts, sorted(replay.sizes)
    cuts = statistics.quantiles(sizes, n=100, method="inclusive")
    print(f"{path}: ok")
    print(f"  operations   {counts.total()}: {counts['a']} allocate, {counts['f']} free, "
          f"{counts['r']} resize")
    print(f"  live         {replay.peak_bytes} bytes and {replay.peak_blocks} blocks at the "
          f"peak, {len(replay.live)} blocks at the end")
    print(f"  sizes        {sizes[0]} min, " +
          ", ".join(f"{cuts[p - 1]:.0f} p{p}" for p in (25, 50, 75, 90, 99)) +
          f", {sizes[-1]} max")


def main():
    """Lint each file; go on after a bad one."""
    parser = argparse.ArgumentParser(description="Checks recorded allocation traces.")
    parser.add_argument("--min-operations", type=int, default=50_000, metavar="N")
    parser.add_argument("--max-peak", type=int, default=48 << 20, metavar="BYTES",
                        help="most live bytes (default 48 MiB: fits a 64 MiB pool)")
    parser.add_argument("traces", nargs="+", metavar="TRACE")
    args = parser.parse_args()
    failed = 0
    for path in args.traces:
        try:
            describe(path, lint(path, args))
        except (Fault, OSError, UnicodeDecodeError) as fault:
            print(f"{path}: {fault}", file=sys.stderr)
            failed += 1
    sys.exit(failed > 0)


if __name__ == "__main__":
    main()
