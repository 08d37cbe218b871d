#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""The core against the allocators of this machine: runs bench, prints table, CSV, SVG.

Room: host; called by the Makefile. In each round every allocator takes every load
once, in a process of its own; others than glibc's are preloaded as malloc. A figure is
the median over the rounds; a ratio is the median of the ratios within a round, so a
machine that slows down for a while slows both. Ratios above 1 mean the core does better.
The others are not bounded, not validating as much, and take pages as they need them;
they are here for orientation.
"""
import argparse
import collections
import csv
import ctypes.util
import os
import pathlib
import statistics
import subprocess
import sys

TRACES = pathlib.Path(__file__).resolve().parent.parent / "traces"
CORE = "tlsf_core"
PEERS = ("glibc", "jemalloc", "mimalloc")
CHURNS = [f"{dist}:{mib}:{percent}" for mib in (1, 32)
          for dist, percent in (("u16-1024", 50), ("u16-1024", 85), ("lu16-64k", 50),
                                ("lu16-64k", 85), ("fixed-64", 85))]
COLD = [name for name in CHURNS if ":1:85" in name]
COLOURS = {CORE: "#1b6ca8", "glibc": "#c8553d", "jemalloc": "#e0a030", "mimalloc": "#6a994e"}
# live bytes over 4 MiB at the first failure: the best that was measured of another
FILL_GOALS = {"u16-1024": .955, "lu16-64k": .932, "fixed-64": .889, "u1-4096": .965,
              "n512": .940, "n4096": .950}


def traces():
    return {path.name.split(".")[0]: path for path in sorted(TRACES.glob("*.trace.zst"))}


def library(peer):
    """What to preload, None when it is not installed; nothing for glibc."""
    return "" if peer == "glibc" else ctypes.util.find_library(peer)


def allocators():
    found = {CORE: ""}
    for peer in PEERS:
        path = library(peer)
        if path is None:
            print(f"{peer} is not installed and left out; make bench-core would install it")
        else:
            found[peer] = path
    return found


def bench(program, preload, *arguments):
    """The figures of one process, by name."""
    done = subprocess.run([program, *map(str, arguments)], check=False, text=True,
                          capture_output=True, env={**os.environ, "LD_PRELOAD": preload})
    if done.returncode or done.stderr:
        sys.exit(f"bench {' '.join(map(str, arguments))}: {done.stderr or done.returncode}")
    return {name: float(value) for name, value in map(str.split, done.stdout.splitlines())}


def which(allocator):
    return "core" if allocator == CORE else "malloc"


def speed(program, found, rounds):
    """{(load, measure): {allocator: [value of each round]}}"""
    values = collections.defaultdict(lambda: collections.defaultdict(list))
    loads = [("speed", name, ()) for name in CHURNS]
    loads += [("speed", name, (path,)) for name, path in traces().items()]
    loads += [("cold", name, ()) for name in COLD]
    for number in range(rounds):
        for mode, load, trace in loads:
            # another one begins in each round
            order = sorted(found)[number % len(found):] + sorted(found)[:number % len(found)]
            for allocator in order:
                figures = bench(program, found[allocator], mode, which(allocator), load, *trace)
                for measure, value in figures.items():
                    values[load, measure][allocator].append(value)
    return values


def summarise(values):
    """{(load, measure): {allocator: (median, median ratio to the core or None)}}"""
    summary = {}
    for key, by_allocator in values.items():
        core = by_allocator[CORE]
        summary[key] = {}
        for allocator, mine in by_allocator.items():
            ratios = [a / b for a, b in zip(mine, core) if b]
            summary[key][allocator] = (statistics.median(mine),
                                       statistics.median(ratios) if ratios else None)
    return summary


def memory(program, found):
    summary = {}
    for name, path in traces().items():
        figures = {a: bench(program, found[a], "memory", which(a), path) for a in found}
        core = figures[CORE]["of_peak"]
        for measure in ("of_peak", "bytes", "control_bytes"):
            summary[name, f"memory_{measure}"] = {
                a: (f[measure], f["of_peak"] / core if measure == "of_peak" else None)
                for a, f in figures.items() if measure in f}
    return summary


# ---- what is printed ----

def cell(value, ratio, allocator):
    text = f"{value:.3g}" if value < 1000 else f"{value:.0f}"
    return f"{text:>8}" + (f" {ratio:5.2f}x" if ratio and allocator != CORE else " " * 7)


def table(title, summary, measure, found):
    rows = [(load, by) for (load, what), by in summary.items() if what == measure]
    if not rows:
        return
    print(f"\n{title}")
    print(f"{'load':<18}" + "".join(f"{a:>8}{'':7}" for a in found))
    for load, by in rows:
        print(f"{load:<18}" + "".join(
            cell(*by[a], a) if a in by else " " * 15 for a in found))


def print_tables(summary, found):
    table("ns per operation, allocations and frees alike (x: times the core's)",
          summary, "ns", found)
    for what in ("alloc", "free", "resize"):
        for point in ("p50", "p99", "p99.9"):
            table(f"{what}: {point}, ns of one operation alone",
                  summary, f"{what}_{point}_ns", found)
    for what in ("alloc", "free"):
        for point in ("p50", "p99", "p99.9"):
            table(f"{what} with cold caches: {point}, ns; all memory and code was flushed before",
                  summary, f"cold_{what}_{point}_ns", found)
    table("requests that failed", {k: v for k, v in summary.items()
          if any(value for value, _ in v.values())}, "failed", found)
    table("memory over peak live bytes: the core's smallest pool, the others' resident",
          summary, "memory_of_peak", found)
    table("control structure of that pool, bytes", summary, "memory_control_bytes", found)


def print_fill(fill):
    print("\nlive bytes over pool bytes at the first failure (4 MiB, 60 % allocations, 20 seeds)\n"
          f"{'load':<14} {'is':>8} {'goal':>8} {'without any gap':>17}")
    for name in (key.split(":")[1] for key in fill if key.startswith("fill:")):
        value, goal = fill[f"fill:{name}"], FILL_GOALS.get(name)
        # to as many digits as the goal has
        print(f"{name:<14} {value:8.4f} {goal or '-':>8} {fill[f'ceiling:{name}']:17.4f}"
              f"{'  below the goal' if goal and round(value, 3) < goal else ''}")
    print(f"same size again in a full pool: {fill['reuse_failures']:.0f} failures"
          f" of {fill['reuse_sizes']:.0f}")
    print(f"whole empty pool in one request: {fill['whole_request']:.0f} bytes of 1 MiB "
          f"{'served' if fill['whole_served'] else 'NOT served'}")
    print(f"control structure: {fill['control_1mib']:.0f} bytes for 1 MiB, "
          f"{fill['control_any']:.0f} for any size")


def write_csv(path, summary, fill):
    with open(path, "w", newline="") as out:
        rows = csv.writer(out)
        rows.writerow(["load", "measure", "allocator", "value", "times_core"])
        for (load, measure), by in summary.items():
            for allocator, (value, ratio) in by.items():
                rows.writerow([load, measure, allocator, f"{value:.6g}",
                               f"{ratio:.3f}" if ratio else ""])
        for name, value in fill.items():
            rows.writerow(["", name, CORE, f"{value:.6g}", ""])


def write_svg(path, summary, found):
    """ns per operation, a group of bars to a load"""
    loads = [(load, by) for (load, measure), by in summary.items() if measure == "ns"]
    rows = "\n".join(f"{load} " + " ".join(f"{by[a][0]}" for a in found) for load, by in loads)
    bars = ", ".join(f"$ns using {i}{':xtic(1)' * (i == 2)} lc rgb '{COLOURS[a]}' title '{a}'"
                     for i, a in enumerate(found, 2))
    with open(path, "w", encoding="utf-8") as out:
        subprocess.run(["gnuplot"], check=True, text=True, stdout=out, input=f"""
            set terminal svg size 1000, 450 font 'sans-serif,12' background 'white' noenhanced
            set title 'ns per operation, less is better'
            set style data histogram
            set style fill solid
            set yrange [0:]
            set grid ytics
            set key top left
            set xtics nomirror rotate by -30
$ns << E
{rows}
E
            plot {bars}
            """)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program", type=os.path.abspath)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--csv", required=True)
    parser.add_argument("--svg", required=True)
    args = parser.parse_args()
    found = allocators()
    fill = bench(args.program, "", "fill")
    summary = {**summarise(speed(args.program, found, args.rounds)), **memory(args.program, found)}
    print_tables(summary, found)
    print_fill(fill)
    write_csv(args.csv, summary, fill)
    write_svg(args.svg, summary, found)
    print(f"\n{args.rounds} rounds; written: {args.csv}, {args.svg}")


if __name__ == "__main__":
    main()
