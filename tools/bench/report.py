#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""
Tables and CSV of the head to head, from the lines that the guest printed.

Room: bench. Usage: report.py MEASURED --csv FILE | --markdown
All figures are instructions. "best pair" is the cheapest allocation with the cheapest
free, "worst pair" the dearest of each, whether or not they met. Exit status 1 when the
allocators did not do the same work.
"""
import argparse
import collections
import csv
import sys

STATISTICS = ("min", "avg", "p50", "p99", "p99.9", "max")
CONTEXTS = {"task": "task", "raw": "raw lock, irqs off", "hardirq": "hard interrupt",
            "nmi": "NMI"}

Cost = collections.namedtuple("Cost", ("calls", "left_out", "refused", "figures"))


class Measured:
    """What one guest printed."""

    def __init__(self, lines):
        self.kernel = "?"
        self.costs = {}     # (workload, allocator): {"alloc": Cost, "free": Cost}
        self.memory = {}    # (workload, allocator): bytes taken for each byte asked
        self.contexts = {}  # allocator: ({context: verdict}, why not)
        self.complaints = []
        for line in lines:
            word, *rest = line.split()
            if word == "bench:":
                self.complaints.append(line.strip())
            else:
                getattr(self, "read_" + word.removeprefix("bench-"))(*rest)

    def read_kernel(self, release):
        """bench-kernel RELEASE"""
        self.kernel = release

    def read_cost(self, workload, allocator, what, *numbers):
        """bench-cost WORKLOAD NAME alloc|free CALLS LEFT-OUT REFUSED SUM MIN ... MAX"""
        calls, left_out, refused, total, least, *rest = map(int, numbers)
        figures = dict(zip(STATISTICS, (least, round(total / calls, 2), *rest)))
        self.costs.setdefault((workload, allocator), {})[what] = Cost(calls, left_out, refused, figures)

    def read_memory(self, workload, allocator, taken, asked):
        """bench-memory WORKLOAD NAME BYTES OF-BYTES"""
        self.memory[workload, allocator] = int(taken) / int(asked)

    def read_contexts(self, allocator, *words):
        """bench-contexts NAME CONTEXT=VERDICT... WHY NOT"""
        verdicts = dict(word.split("=") for word in words[:len(CONTEXTS)])
        self.contexts[allocator] = verdicts, " ".join(words[len(CONTEXTS):])

    def read_done(self, workload):
        """bench-done WORKLOAD"""

    def workloads(self):
        """In the order in which they ran."""
        return list(dict.fromkeys(workload for workload, _ in self.costs))

    def rows(self, workload):
        """(allocator, {"alloc": Cost, "free": Cost}) of one workload"""
        return [(name, by) for (load, name), by in self.costs.items() if load == workload]


def same_work(measured):
    """Every allocator was asked for the same."""
    for workload in measured.workloads():
        calls = {name: {what: cost.calls + cost.left_out + cost.refused for what, cost in by.items()}
                 for name, by in measured.rows(workload)}
        if any(count != calls["tlsf"] for count in calls.values()):
            print(f"{workload}: not the same number of calls: {calls}", file=sys.stderr)
            return False
    return bool(measured.costs)


def print_costs(measured, workload):
    """One table: a row to an allocator."""
    rows = measured.rows(workload)
    alloc, free = rows[0][1]["alloc"], rows[0][1]["free"]
    print(f"\n{workload}: {alloc.calls} allocations, {free.calls} frees; instructions of each\n")
    heads = "".join(f"{name:>8}" for name in STATISTICS)
    print(f"{'':20}{'allocate':^48} |{'free':^48} |{'pair':^16}| memory\n"
          f"{'':20}{heads} |{heads} |{'best':>7}{'worst':>9}| of asked")
    for name, by in rows:
        cells = " |".join("".join(f"{round(cost.figures[s]):8d}" for s in STATISTICS)
                          for cost in (by["alloc"], by["free"]))
        best, worst = (sum(cost.figures[s] for cost in by.values()) for s in ("min", "max"))
        print(f"{name:20}{cells} |{best:7d}{worst:9d}| {measured.memory[workload, name]:6.3f}")


def print_contexts(measured):
    """Where each may be called, and where it was."""
    print("\nwhere it may be called on this kernel; \"works\" was tried here\n\n"
          f"{'':20}" + "".join(f"{title:>20}" for title in CONTEXTS.values()))
    for name, (verdicts, limits) in measured.contexts.items():
        print(f"{name:20}" + "".join(f"{verdicts[c]:>20}" for c in CONTEXTS) + f"  {limits}")


def print_missing(measured):
    """Operations that are not in the figures."""
    for (workload, name), by in measured.costs.items():
        alloc, free = by["alloc"], by["free"]
        if alloc.refused:
            print(f"{workload}, {name}: {alloc.refused} of {alloc.calls + alloc.refused} "
                  "allocations were refused")
        if alloc.left_out or free.left_out:
            print(f"{workload}, {name}: {alloc.left_out} allocations and {free.left_out} frees "
                  "left out, in which an interrupt came")


def grouped(value):
    """16 382 from 5 digits on; 9842 is read well without"""
    return f"{round(value):,}".replace(",", " " if value >= 9999.5 else "")


def print_markdown(measured, workload):
    """A table as in docs/wcet.md."""
    shown = ("min", "avg", "p99", "p99.9", "max")
    heads = " / ".join(shown)
    print(f"| {workload} | allocate {heads} | free {heads} | memory |\n|---|---|---|---|")
    for name, by in measured.rows(workload):
        cells = (" / ".join(grouped(by[what].figures[s]) for s in shown)
                 for what in ("alloc", "free"))
        print("|", name, "|", " | ".join(cells), f"| {measured.memory[workload, name]:.3f} |")
    print()


def write_csv(path, measured):
    """A line to a workload, an allocator and an operation."""
    with open(path, "w", newline="", encoding="ascii") as out:
        rows = csv.writer(out, lineterminator="\n")
        rows.writerow(("kernel", "workload", "allocator", "operation", "calls", "left_out",
                       "refused", *STATISTICS, "memory_of_asked"))
        for (workload, name), by in measured.costs.items():
            for what, cost in by.items():
                rows.writerow((measured.kernel, workload, name, what, cost.calls, cost.left_out,
                               cost.refused,
                               *(f"{value:.10g}" for value in cost.figures.values()),
                               f"{measured.memory[workload, name]:.4f}"))


def main():
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[1])
    parser.add_argument("measured")
    parser.add_argument("--csv")
    parser.add_argument("--markdown", action="store_true", help="the tables of docs/wcet.md")
    args = parser.parse_args()
    with open(args.measured, encoding="ascii") as lines:
        measured = Measured(lines)
    if not same_work(measured):
        return 1
    if args.markdown:
        for workload in measured.workloads():
            print_markdown(measured, workload)
        return 0
    print(f"kernel {measured.kernel}, init_on_alloc=0")
    for workload in measured.workloads():
        print_costs(measured, workload)
    print_contexts(measured)
    print_missing(measured)
    write_csv(args.csv, measured)
    print("", *measured.complaints, f"written: {args.csv}", sep="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
