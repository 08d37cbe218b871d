#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Draws latency histograms: tlsf hist --json | plot.py >FILE.svg

Room: cli. Installed as tlsf-plot; gnuplot draws. Both axes are logarithmic, so that a
single outlier can be seen. An operation has a colour, a context a dash; lines mark
percentiles and maximum, with their names on top, a row for each distribution.
"""
import argparse
import json
import subprocess
import sys

COLOURS = {"alloc": "#1f6fb4", "free": "#d1602a", "resize": "#2a8a4a"}
DASHES = {"any": "1", "task": "1", "softirq": "'-'", "hardirq": "'.'", "NMI": "'-.'"}
MARKS = ("max", "p99.99", "p99.9", "p99", "p50")
KINDS = {"hold": "hold: lock and core", "total": "total: wait for the lock, lock and core"}
FLOOR = 0.6  # operations at the base line: one stands clear of it
ROOM = 0.05  # of the width, for the name of a mark


def shown(histograms):
    """(operation, context, histogram) of each; where contexts are told apart, not their sum"""
    for op, both in histograms.items():
        for context, one in (both.get("contexts") or {"any": both}).items():
            if one["count"]:
                yield op, context, one


def steps(buckets):
    """(cycles, operations) where the line goes up or down"""
    end = None
    for bucket in buckets:
        if bucket["from"] != end:
            if end:
                yield end, FLOOR
            yield bucket["from"], FLOOR
        yield max(bucket["from"], 1), bucket["count"]
        end = bucket["to"] + 1
    yield end, FLOOR


def marks(cycles, apart, row, style):
    """A line at each; a name that has no room left of the next one is left out."""
    limit = float("inf")
    for name in MARKS:
        at = max(cycles[name], 1)
        yield f"set arrow from first {at}, graph 0 to first {at}, graph 1 nohead {style} lw 0.6"
        if at * apart < limit:
            yield (f"set label '{name}' at first {at}, graph 1 offset 0, {0.6 + row} center "
                   f"{style.split(' dt')[0].replace('lc', 'tc')} font ',9'")
            limit = at


def title(op, context, one):
    """A line of the legend."""
    figures = one["cycles"]
    return (f"{op}, {context}: count {one['count']}, min {figures['min']}, "
            f"avg {figures['mean']:.1f}, " + ", ".join(f"{name} {figures[name]}" for name in reversed(MARKS)) + " cycles")


def picture(found):
    """What gnuplot is told."""
    clock, plots = found["clock"], list(shown(found["histograms"]))
    width = max((one["cycles"]["max"] for *_, one in plots), default=1) / \
        min((max(one["cycles"]["min"], 1) for *_, one in plots), default=1)
    scale = f"; 1000 are {1e12 / clock['hz']:.0f} ns" if clock["hz"] else ""
    yield f"""set terminal svg size 1000, {420 + 34 * len(plots)} dynamic background 'white' \
font 'sans-serif,12'
set title "tlsf latency, {KINDS[found['kind']]}; \
1 cycle = 1 {clock['unit']} tick of {clock['hz']} Hz" offset 0, {len(plots)}
set logscale xy
set yrange [{FLOOR}:]
set xlabel 'cycles{scale}' offset 0, 0.6
set ylabel 'operations'
set format y '%.0f'
set grid lc '#dddddd' lt 1
set tmargin {len(plots) + 3}
set key below left Left reverse maxcols 1 font ',11'"""
    plotted = []
    for row, (op, context, one) in enumerate(plots):
        style = f"lc rgb '{COLOURS[op]}' dt {DASHES[context]}"
        yield from marks(one["cycles"], width ** ROOM, row, style)
        yield f"$d{row} << E"
        yield from (f"{at} {count}" for at, count in steps(one["buckets"]))
        yield "E"
        plotted.append(f"$d{row} with fillsteps fs transparent solid 0.15 lc rgb '{COLOURS[op]}' "
                       f"notitle, $d{row} with steps {style} title \"{title(op, context, one)}\"")
    yield "plot " + (", ".join(plotted) or "[1:100] 1 notitle")


def main():
    """Command line."""
    argparse.ArgumentParser(description=__doc__.splitlines()[0]).parse_args()
    try:
        commands = "\n".join(picture(json.load(sys.stdin)))
        return subprocess.run(["gnuplot"], input=commands, text=True, check=False).returncode
    except (ValueError, KeyError, TypeError):
        sys.exit("plot: this is not what tlsf hist --json prints")
    except FileNotFoundError:
        sys.exit("plot: there is no gnuplot; Debian: apt-get install gnuplot-nox")


if __name__ == "__main__":
    sys.exit(main())
