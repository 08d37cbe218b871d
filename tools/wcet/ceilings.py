# SPDX-License-Identifier: GPL-2.0-only
"""What each bound may be at most: so that one which grows is noticed, and its reason told.

Room: wcet. ceilings.csv has a row for each path and line of kernels; a kernel without
rows has no ceilings. A bound below its ceiling is no fault, but said.
"""
import csv
import os
import re
import sys


def kernel_line(release):
    """6.1.0-56-rt-amd64 -> 6.1-rt-amd64: what kernels of one line share."""
    match = re.match(r"(\d+\.\d+)[^-]*-(?:\d+-|deb\d+-)?(.*)", release)
    return f"{match[1]}-{match[2]}" if match else release


def read(path, kernel=None):
    """[(kernel, path, ceiling)], of one kernel's line or of all."""
    with open(path, newline="", encoding="utf-8") as f:
        rows = [(r["kernel"], r["path"], int(r["ceiling"])) for r in csv.DictReader(f)]
    return [r for r in rows if kernel in (None, r[0])]


def record(path, kernel, rows):
    """The bounds of today as ceilings of this kernel's line; those of others stay."""
    others = [r for r in read(path) if r[0] != kernel]
    with open(path, "w", newline="", encoding="utf-8") as f:
        out = csv.writer(f, lineterminator="\n")
        out.writerow(("kernel", "path", "ceiling"))
        out.writerows(sorted(others + [(kernel, *r) for r in rows], key=lambda r: r[0]))


def exceeded(path, kernel, rows):
    """Bounds above their ceiling; says so, and when ceilings could be lowered."""
    bounds, where = dict(rows), os.path.relpath(path)
    ceilings = {name: ceiling for _, name, ceiling in read(path, kernel)}
    bad = [name for name, bound in rows if bound > ceilings.get(name, bound)]
    for name in bad:
        print(f"wcet: {name} may take {bounds[name]} instructions, {where} allows "
              f"{ceilings[name]} for {kernel}: find what was added with --path '{name}', or, if it "
              "is worth that, record it with tools/wcet/run.sh --record", file=sys.stderr)
    slack = bounds.keys() ^ ceilings.keys() | {n for n in bounds if bounds[n] < ceilings.get(n, 0)}
    if slack and not bad:
        print(f"\n{where} is not up to date for {kernel} in: {', '.join(sorted(slack))}.\n"
              "Record the bounds with tools/wcet/run.sh --record.")
    return bad
