#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Adds up gcov's JSON: lines and branches per source, and what was not reached.

Room: host; called by coverage.sh, with a file for each object. What is in several,
as the operations that are inlined, is reached when it is in one of them. A branch that
cannot be taken stands in the file given with --allow, one to a line: the function, how many of the line's branches,
its text, and after a # the reason. An entry that matches nothing is an error too: it
has been overtaken by the source.
"""
import argparse
import json
import pathlib
import sys

SOURCES = ("tlsf_ops.h", "tlsf_core.c", "tlsf_check.c")
ROOT = pathlib.Path(__file__).resolve().parent.parent.parent  # what gcov's names are relative to


def allowed(path):
    """{(function, branches never taken, text of the line): used yet}"""
    entries = {}
    for line in pathlib.Path(path).read_text().splitlines():
        code = line.split(" # ")[0].strip()
        if code and not code.startswith("#"):
            function, never, text = code.split(": ", 2)
            entries[function, int(never), text] = False
    return entries


def functions_by_line(entry):
    """Function of each line: where gcov does not say, the last that began above."""
    starts = sorted((f["start_line"], f["name"]) for f in entry["functions"])
    return lambda n: next((name for at, name in reversed(starts) if at <= n), "")


def judge(source, entry, allow):
    """Prints what is missing; lines reached, lines, branches taken, branches, open."""
    text = source.read_text().splitlines()
    function_of = functions_by_line(entry)
    lines = branches = reached = taken = left = 0
    for line in entry["lines"]:
        number, code = line["line_number"], text[line["line_number"] - 1].strip()
        never = sum(1 for b in line["branches"] if not b["count"])
        lines += 1
        reached += line["count"] > 0
        branches += len(line["branches"])
        taken += len(line["branches"]) - never
        if line["count"] and not never:
            continue
        key = function_of(number), never, code
        known = line["count"] > 0 and key in allow
        if known:
            allow[key] = True
        left += not known
        what = f"{never} of {len(line['branches'])} branches" if line["count"] else "line"
        print(f"{'cannot be' if known else 'NOT'} reached: {source.name}:{number}: "
              f"{function_of(number)}: {what}: {code}")
    return reached, lines, taken, branches, left


def merge(into, entry):
    """The counts of @entry added to those of the same source in another object."""
    lines = {(line["line_number"], line.get("function_name")): line for line in into["lines"]}
    for line in entry["lines"]:
        known = lines.get((line["line_number"], line.get("function_name")))
        if known is None:
            into["lines"].append(line)
            continue
        known["count"] += line["count"]
        if len(known["branches"]) != len(line["branches"]):
            sys.exit(f"{entry['file']}:{line['line_number']}: compiled in two ways")
        for mine, other in zip(known["branches"], line["branches"]):
            mine["count"] += other["count"]
    known = {f["name"] for f in into["functions"]}
    into["functions"] += [f for f in entry["functions"] if f["name"] not in known]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--allow", required=True)
    parser.add_argument("json", nargs="+", type=pathlib.Path)
    args = parser.parse_args()
    allow = allowed(args.allow)
    sources = {}
    for path in args.json:
        for entry in json.loads(path.read_text())["files"]:
            name = pathlib.Path(entry["file"]).name
            if name not in SOURCES:
                continue
            if name in sources:
                merge(sources[name], entry)
            else:
                sources[name] = entry
    totals = [(name, *judge(ROOT / sources[name]["file"], sources[name], allow))
              for name in SOURCES]
    for name, reached, lines, taken, branches, _ in totals:
        print(f"{name:14} lines {reached}/{lines} ({100 * reached / lines:.1f} %), "
              f"branches {taken}/{branches} ({100 * taken / branches:.1f} %)")
    stale = [key for key, used in allow.items() if not used]
    for key in stale:
        print("coverage.allow is stale, take it out:", *key)
    if stale or any(total[-1] for total in totals):
        sys.exit(1)


if __name__ == "__main__":
    main()
