# SPDX-License-Identifier: GPL-2.0-only
"""What was measured: the lines that guest.sh prints, their tables, and what they must be.

Room: wcet.
"""
import re
import sys

import paths

PAIR = " + ".join(paths.PAIR)


class Measured:
    """Read from any log with such lines; of several for one row the largest counts.

    maxima  {row: maximum}                      wcet-max NAME NUMBER
    phases  {row: {phase: maximum}}             wcet-phase PHASE NAME NUMBER
    flat    {(size, live): {row: maximum}}      wcet-flat SIZE LIVE NAME NUMBER
    """

    def __init__(self, path=None):
        self.maxima, self.phases, self.flat = {}, {}, {}
        text = ""
        if path:
            with open(path, encoding="utf-8", errors="replace") as f:
                text = f.read()
        for name, figure in re.findall(r"wcet-max (.+) (\d+)\s*$", text, re.M):
            raise_to(self.maxima, name, figure)
        for phase, name, figure in re.findall(r"wcet-phase (\w+) (.+) (\d+)\s*$", text, re.M):
            raise_to(self.phases.setdefault(name, {}), phase, figure)
        for size, live, name, figure in re.findall(r"wcet-flat (\w+) (\d+) (.+) (\d+)\s*$", text,
                                                   re.M):
            raise_to(self.flat.setdefault((size, live), {}), name, figure)
        if self.maxima.keys() >= set(paths.PAIR):
            self.maxima[PAIR] = sum(self.maxima[name] for name in paths.PAIR)

    def print_phases(self, rows):
        """Who found the maximum: states made on purpose, chance, or the search?"""
        print("\n" + f"{'measured at most by':<28}{'states':>13}{'random':>13}{'search':>10}")
        for name in (name for name, _ in rows if name in self.phases):
            found = self.phases[name]
            print(f"{name:<28}{found['states']:>13}{found['random']:>13}{found['search']:>10}")

    def print_flat(self):
        names = [n for n in self.maxima if all(n in found for found in self.flat.values())]
        print("\n" + f"{'pool':<8}{'live blocks':>12}  " + "  ".join(names))
        for (size, live), found in self.flat.items():
            figures = "  ".join(f"{found[n]:>{len(n)}}" for n in names)
            print(f"{size:<8}{live:>12}  {figures}")

    def exceeded(self, rows):
        """Rows that were measured above their bound; says so."""
        bad = [name for name, bound in rows if name in self.maxima and self.maxima[name] > bound]
        for name in bad:
            print(f"wcet: {name} was measured at {self.maxima[name]}, above its bound: the bound "
                  "is wrong", file=sys.stderr)
        return bad

    def moved(self):
        """Rows whose maximum depends on the pool's size or on its blocks; says so."""
        bad = [(name, at, found[name]) for at, found in self.flat.items()
               for name in found if found[name] != self.maxima.get(name)]
        for name, (size, live), figure in bad:
            print(f"wcet: {name} took {figure} at most in a pool of {size} with {live} live "
                  f"blocks, but {self.maxima.get(name)} in the table: it is not flat",
                  file=sys.stderr)
        return bad


def raise_to(maxima, key, figure):
    maxima[key] = max(maxima.get(key, 0), int(figure))
