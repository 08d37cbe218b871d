#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Distinct cache lines of 64 bytes that an operation of the core touches.

Room: host; called by the Makefile. Runs lines.c under valgrind's lackey, which lists
every access. Data lines are those of the control structure and the pool, code lines those
of the core; neither the stack nor the caller's are counted. The figures are counts: the same
on every run, so they gate. Prints KTAP, with the table on lines of "# ".
"""
import argparse
import collections
import csv
import re
import subprocess
import sys
import tempfile

LINE = 64
OPERATIONS = ("alloc", "free", "memalign", "resize")
MARKS = ("done", *OPERATIONS)  # in the order of lines.c
# What the core reaches, average to a hundredth and most: data lines, then code lines, which
# depend on the compiler and are held for gcc 12 alone.
CEILINGS = {
    ("alloc", "data"): (6.88, 12), ("alloc", "code"): (8.97, 12),
    ("free", "data"): (8.22, 13), ("free", "code"): (8.41, 12),
    ("memalign", "data"): (9.77, 14), ("memalign", "code"): (16.66, 18),
    ("resize", "data"): (6.04, 13), ("resize", "code"): (8.91, 12),
}
KINDS = ("data", "code")


def trace(program):
    """(addresses, lines of the trace)"""
    with tempfile.NamedTemporaryFile("r", suffix=".lackey") as log:
        done = subprocess.run(["valgrind", "--tool=lackey", "--trace-mem=yes",
                               f"--log-file={log.name}", program], check=True, text=True,
                              capture_output=True)
        yield [int(word, 16) for word in done.stdout.split()]
        yield from log


def touched(lines, mark, pool, code):
    """(operation, data lines, code lines) of each operation, as they were done."""
    access = re.compile(r"^(I | [LSM]) +([0-9a-f]+),(\d+)$")
    operation, data, text = None, set(), set()
    for found in filter(None, map(access.match, lines)):
        kind, at, size = found[1].strip(), int(found[2], 16), int(found[3])
        if kind == "S" and mark <= at < mark + LINE * len(MARKS):
            if operation and at < mark + LINE:
                yield operation, len(data), len(text)
            operation = MARKS[(at - mark) // LINE] if at >= mark + LINE else None
            data, text = set(), set()
        elif operation:
            into, (low, high) = (text, code) if kind == "I" else (data, pool)
            if low <= at < high:
                into.update(range(at // LINE, (at + size - 1) // LINE + 1))


def figures(program):
    """{operation: {kind: (average, most)}}"""
    lines = trace(program)
    mark, low, high, start, stop = next(lines)
    counts = collections.defaultdict(list)
    for operation, *both in touched(lines, mark, (low, high), (start, stop)):
        counts[operation].append(both)
    return {operation: {kind: (round(sum(column) / len(column), 2), max(column))
                        for kind, column in zip(KINDS, zip(*counts[operation]))}
            for operation in OPERATIONS}


def verdicts(found, kinds):
    for operation in OPERATIONS:
        for kind in kinds:
            average, most = found[operation][kind]
            ceiling = CEILINGS.get((operation, kind), (0, 0))
            good = average <= ceiling[0] and most <= ceiling[1]
            text = f"{operation}: at most {ceiling[0]} {kind} lines on average and {ceiling[1]}"
            yield good, text, f"{average} on average, {most} at most"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program")
    parser.add_argument("--csv", required=True)
    parser.add_argument("--gcc", type=int, default=0, help="major version, 0 if it is not gcc")
    args = parser.parse_args()
    found = figures(args.program)
    print("KTAP version 1")
    print("# cache lines of 64 bytes, average / most    data          code")
    for operation in OPERATIONS:
        cells = "".join(f"{found[operation][kind][0]:>10.2f} /{found[operation][kind][1]:>3}"
                        for kind in KINDS)
        print(f"# {operation:<36}{cells}")
    results = list(verdicts(found, KINDS if args.gcc == 12 else KINDS[:1]))
    print(f"1..{len(results)}")
    for number, (good, text, is_) in enumerate(results, 1):
        print(f"{'ok' if good else 'not ok'} {number} {text}" + ("" if good else f"\n# is: {is_}"))
    with open(args.csv, "w", newline="", encoding="utf-8") as out:
        rows = csv.writer(out)
        rows.writerow(["operation", "lines", "average", "most"])
        rows.writerows((operation, kind, *found[operation][kind])
                       for operation in OPERATIONS for kind in KINDS)
    return not all(good for good, _, _ in results)


if __name__ == "__main__":
    sys.exit(main())
