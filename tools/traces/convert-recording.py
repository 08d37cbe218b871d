#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""
Turns a raw recording of allocations into a trace (FORMAT.md) on standard output.

Room: traces. Usage: convert-recording.py kmem|shim FILE [--header 'KEY: VALUE']...
kmem: text of /sys/kernel/tracing/trace with kmem:kmalloc and kmem:kfree, closed by a
line '# complete'. shim: the file that malloc_shim.c writes.

Addresses become ids, the lowest free one first. What a recording cannot tell is put
right here and counted in the header:
  frees-dropped     frees of blocks allocated before the recording began
  frees-implied     an address handed out again although its free was not seen; the
                    old block is freed just before
  empty-requests    requests for 0 bytes, left out with their frees
Exit status: 0, or 1 with a message when the recording is incomplete or not understood.
"""

import argparse
import heapq
import re
import struct
import sys

KMEM_ALLOC = re.compile(r": kmalloc(?:_node)?: .*\bptr=([0-9a-f]+) bytes_req=(\d+) ")
KMEM_FREE = re.compile(r": kfree: .*\bptr=([0-9a-f]+)$")
KMEM_EVENT = re.compile(r": (?:kmalloc|kmalloc_node|kfree): ")
KMEM_LOST = re.compile(r"^# stats: (?:overrun|commit overrun|dropped events): (\d+)$")

# struct shim_header and struct shim_record of malloc_shim.c
SHIM_MAGIC = b"tlsfshim"
SHIM_HEADER = struct.Struct("=8sQQQ")
SHIM_RECORD = struct.Struct("=QQQQ")
SHIM_ALLOC, SHIM_FREE, SHIM_RESIZE = 1, 2, 3


class BadRecording(Exception):
    """The recording is incomplete, or not what it should be."""


class Trace:
    """Operations so far, with addresses replaced by ids."""

    def __init__(self):
        self.lines = []
        self.live = {}  # address -> (id, size)
        self.empty = set()  # addresses of blocks of 0 bytes
        self.free_ids = []  # heap
        self.bytes = self.peak_bytes = self.peak_blocks = self.largest = 0
        self.dropped = self.implied = self.left_out = 0

    def _account(self, address, ident, size):
        self.largest = max(self.largest, size)
        self.live[address] = ident, size
        self.bytes += size
        self.peak_bytes = max(self.peak_bytes, self.bytes)
        self.peak_blocks = max(self.peak_blocks, len(self.live))

    def _forget(self, address):
        ident, size = self.live.pop(address)
        self.bytes -= size
        return ident

    def alloc(self, address, size, align=0):
        """A block of size bytes was handed out at address."""
        if address in self.live:
            self.implied += 1
            self.free(address)
        self.empty.discard(address)
        if not size:
            self.empty.add(address)
            self.left_out += 1
            return
        ident = heapq.heappop(self.free_ids) if self.free_ids else len(self.live)
        self._account(address, ident, size)
        self.lines.append(f"a {ident} {size} {align}" if align else f"a {ident} {size}")

    def free(self, address):
        """The block at address was given back."""
        if address not in self.live:
            self.dropped += address not in self.empty
            self.empty.discard(address)
            return
        ident = self._forget(address)
        heapq.heappush(self.free_ids, ident)
        self.lines.append(f"f {ident}")

    def resize(self, old, new, size):
        """The block at old has size bytes now, and may have moved to new."""
        if old not in self.live:
            self.free(old)
            self.alloc(new, size)
            return
        if new != old and new in self.live:
            self.implied += 1
            self.free(new)
        ident = self._forget(old)
        self._account(new, ident, size)
        self.lines.append(f"r {ident} {size}")

    def figures(self):
        """Header lines that describe the trace itself."""
        return {
            "operations": len(self.lines),
            "peak-live-bytes": self.peak_bytes,
            "peak-live-blocks": self.peak_blocks,
            "live-at-end": len(self.live),
            "largest-request": self.largest,
            "frees-dropped": self.dropped,
            "frees-implied": self.implied,
            "empty-requests": self.left_out,
        }


def kmem_event(trace, line):
    """One line of the trace file; a null address is a failure or kfree(NULL)."""
    if match := KMEM_ALLOC.search(line):
        address, size = int(match[1], 16), int(match[2])
        if address:
            trace.alloc(address, size)
    elif match := KMEM_FREE.search(line):
        if address := int(match[1], 16):
            trace.free(address)
    elif KMEM_EVENT.search(line):
        raise BadRecording(f"event not understood: {line!r}; has its format changed?")


def read_kmem(trace, path):
    """Text of the kernel's trace file, with the statistics of its buffer before it."""
    line = ""
    with open(path, encoding="utf-8", errors="replace") as file:
        for line in file:
            line = line.rstrip()
            kmem_event(trace, line)
            if (match := KMEM_LOST.match(line)) and int(match[1]):
                raise BadRecording(f"events were lost ({line[2:]}); raise trace_buf_size")
    if line != "# complete":
        raise BadRecording("no '# complete' at the end: the recording is cut short")


def shim_record(trace, kind, size, address, old):
    """One record; for an allocation old is the alignment asked for, or 0."""
    if kind == SHIM_ALLOC:
        trace.alloc(address, size, old)
    elif kind == SHIM_FREE:
        trace.free(old)
    elif kind == SHIM_RESIZE:
        trace.resize(old, address, size)
    else:
        raise BadRecording(f"record of unknown kind {kind}")


def read_shim(trace, path):
    """Records of malloc_shim.c; the file is as long as it may get, nr says how far."""
    with open(path, "rb") as file:
        magic, nr, room, lost = SHIM_HEADER.unpack(file.read(SHIM_HEADER.size))
        if magic != SHIM_MAGIC or nr > room:
            raise BadRecording("not a file of malloc_shim.c")
        if lost:
            raise BadRecording(f"{lost} records did not fit in {room}; shorten the run")
        data = file.read(nr * SHIM_RECORD.size)
    if len(data) != nr * SHIM_RECORD.size:
        raise BadRecording(f"cut short: {nr} records promised")
    for record in SHIM_RECORD.iter_unpack(data):
        shim_record(trace, *record)


def write(trace, headers):
    """Headers of the caller, figures, operations, end."""
    print("tlsf-trace 1")
    for header in headers:
        print(f"# {header}")
    for key, value in trace.figures().items():
        print(f"# {key}: {value}")
    sys.stdout.writelines(f"{line}\n" for line in trace.lines)
    print(f"end {len(trace.lines)}")


def main():
    """Parse the arguments, convert, report."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    parser.add_argument("kind", choices=("kmem", "shim"))
    parser.add_argument("file")
    parser.add_argument("--header", action="append", default=[], metavar="'KEY: VALUE'")
    args = parser.parse_args()
    trace = Trace()
    try:
        {"kmem": read_kmem, "shim": read_shim}[args.kind](trace, args.file)
    except (BadRecording, OSError, struct.error) as error:
        sys.exit(f"convert-recording: {args.file}: {error}")
    write(trace, args.header)


if __name__ == "__main__":
    main()
