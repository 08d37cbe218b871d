#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""
Writes a workload for the head to head: a recorded trace, or random operations.

Room: bench. Usage: workload.py OUT --trace FILE.trace[.zst] | --random OPS   [--limit N]
The format is that of module/workload.c. A trace's resize becomes an allocation of the
new size and a free of the old block. The random operations: 256 slots, one picked at a
time; if it is empty it gets 16 to 1024 bytes, else it is freed.
"""
import argparse
import itertools
import struct
import subprocess
import sys

LINE_MAX = 4096  # bytes of a line of a trace, with the newline
SLOTS, SMALLEST, LARGEST = 256, 16, 1024


def random_numbers(state):
    """xorshift64: the same on every machine"""
    while True:
        state ^= state << 13 & (1 << 64) - 1
        state ^= state >> 7
        state ^= state << 17 & (1 << 64) - 1
        yield state >> 16


def random_ops(count, seed=1):
    """(id, size) of each operation; size 0 frees"""
    number, live = random_numbers(seed * 0x9E3779B97F4A7C15 % 2**64), set()
    for _ in range(count):
        slot = next(number) % SLOTS
        if slot in live:
            live.remove(slot)
            yield slot, 0
        else:
            live.add(slot)
            yield slot, SMALLEST + next(number) % (LARGEST - SMALLEST + 1)


def trace_lines(path):
    """words of each operation of a trace"""
    cat = ["zstd", "-dcq", path] if path.endswith(".zst") else ["cat", path]
    with subprocess.Popen(cat, stdout=subprocess.PIPE) as run:
        for number in itertools.count(1):
            line = run.stdout.readline(LINE_MAX + 1)
            if len(line) > LINE_MAX:
                sys.exit(f"workload: {path}:{number}: longer than {LINE_MAX} bytes; see FORMAT.md")
            if not line:
                break
            if line[:2] in (b"a ", b"r ", b"f "):
                yield line.decode().split()
    if run.returncode:
        sys.exit(f"workload: {path}: cannot be read")


def trace_ops(path):
    """(id, size) of each operation, ids given anew"""
    name, unused, top = {}, [], 0
    for verb, old, *size in trace_lines(path):
        freed = name.pop(old) if verb != "a" else None
        if verb != "f":
            if unused:
                name[old] = unused.pop()
            else:
                name[old], top = top, top + 1
            yield name[old], int(size[0])
        if freed is not None:
            unused.append(freed)
            yield freed, 0


def main():
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[1])
    parser.add_argument("out")
    parser.add_argument("--trace")
    parser.add_argument("--random", type=int, metavar="OPS")
    parser.add_argument("--limit", type=int, help="only the first operations")
    args = parser.parse_args()
    ops = list(trace_ops(args.trace) if args.trace else random_ops(args.random))[:args.limit]
    with open(args.out, "wb") as out:
        out.write(struct.pack("<II", len(ops), 1 + max(ident for ident, _ in ops)))
        out.write(b"".join(struct.pack("<II", *op) for op in ops))


if __name__ == "__main__":
    main()
