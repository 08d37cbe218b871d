#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""The longest path of each operation, in instructions, from the object code.

Room: wcet. Reads tlsf_mod.ko and the kernel it was built for; what it does and what the
figures do not say is in docs/wcet.md. Exit status 1 when a path has no bound.
"""
import argparse
import csv
import glob
import os
import re
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True      # nothing is built outside build/

import ceilings
import paths
from elf import Elf
from kernel import exported, extract_vmlinux
from longest import NEVER, Longest
from measured import PAIR, Measured
from program import Fault, Kernel, Module, Program, cold_functions

def read_elf(path):
    with open(path, "rb") as f:
        return Elf(f.read(), path)


def read_module(path):
    """The module; what is __cold in it, also by the objects that it was linked from."""
    elf = read_elf(path)
    module = Module(elf, newer(release_of(elf)))
    for part in glob.glob(os.path.join(os.path.dirname(path), "tlsf_*.o")):
        module.marked_cold |= cold_functions(read_elf(part))
    return module


def release_of(elf):
    """The kernel that a module is for: vermagic, from .modinfo."""
    section = elf.section(".modinfo")
    info = elf.data[section.offset:section.offset + section.size] if section else b""
    match = re.search(rb"\0?vermagic=(\S+)", info)
    return match[1].decode() if match else ""


def newer(release):
    """Is it 6.3 or later, where struct alt_instr has grown?"""
    match = re.match(r"(\d+)\.(\d+)", release)
    return bool(match) and (int(match[1]), int(match[2])) >= (6, 3)


def read_kernel(image, release, directory):
    path = os.path.join(directory, "vmlinux")
    with open(path, "wb") as f:
        f.write(extract_vmlinux(image))
    elf = read_elf(path)
    return Kernel(elf, exported(elf), newer(release))


class Analysis:
    """All paths of one module; keeps what their figures were taken from."""

    def __init__(self, module, kernel, returns=1):
        self.module, self.kernel, self.returns = module, kernel, returns
        self.cold = dict.fromkeys(module.marked_cold, paths.MARKED) | paths.COLD
        self.plain, self.timed = self.program(), self.program(paths.TIMING)
        self.full = self.program(entered=paths.NO_MEMORY_EXITS)
        self.draining = self.program(entered=paths.DRAINING_EXITS)
        self.retried = self.program(entered=paths.RETRIED_EXITS)
        self.rows, self.ways = [], {}

    def program(self, *on, entered=frozenset()):
        return Program(self.module, self.kernel, paths.LOCK + paths.UNLOCK, on,
                       self.cold.keys() - entered, paths.ASIDE, paths.FEATURES, self.returns)

    def add(self, name, program, start):
        longest = Longest(program)
        lazy = longest.bound(start)
        if lazy == NEVER:
            raise Fault("missing", start, f"no path of {name} comes to an end")
        length, way = longest.feasible(start)
        self.rows.append((name, length))
        self.ways[name] = (program, way)
        return longest

    def run_core(self):
        """Those of the core's functions that the compiler did not inline everywhere."""
        for name in filter(self.module.symbols.get, paths.CORE):
            self.add(name, self.plain, self.plain.symbol(name))

    def run(self):
        """Every row, and the longest hold of the lock."""
        drain = (paths.DRAIN,) if paths.DRAIN in self.module.symbols else ()
        walked = [self.add(name, self.plain, self.plain.symbol(name))
                  for name in paths.PLAIN + drain]
        self.rows.append((PAIR, sum(dict(self.rows)[name] for name in paths.PAIR)))
        for name in paths.NO_MEMORY:
            self.add(f"{name} (no memory)", self.full, self.full.symbol(name))
        for name in set(paths.NO_MEMORY) & set(paths.DRAINING):
            self.add(f"{name} (no memory, 16 deferred)", self.retried, self.retried.symbol(name))
        for name in paths.DRAINING:
            self.add(f"{name} (deferred free)", self.draining, self.draining.symbol(name))
        self.run_core()
        for name in paths.RECORDED:
            self.add(f"{name} (timed)", self.timed, self.timed.symbol(name))
        starts = set()
        for operation, names in paths.TIMED.items():
            starts |= self.add_hold(operation, names, starts)
        self.rows += [(f"{name}: recording adds", more)
                      for name, more in self.recording().items()]
        return max(self.hold(longest) for longest in walked)

    def recording(self):
        bounds = dict(self.rows)
        return {name: bounds[f"{name} (timed)"] - bounds[name]
                for name in paths.RECORDED if f"{name} (timed)" in bounds}

    def add_hold(self, operation, names, others):
        """The longest from the last but one reading of the clock to the last."""
        starts = set().union(*map(self.hold_starts, names)) - others
        if not starts:
            raise Fault("missing", self.timed.symbol(names[0]), f"with {paths.TIMING} on, "
                        f"{' and '.join(names)} do not read the clock twice: is the recording "
                        "behind a cold exit?")
        length, way = max(Longest(self.timed, self.next_reading(a)).feasible(a) for a in starts)
        self.rows.append((f"{operation} (hold)", length - self.clock_overhead()))
        self.ways[f"{operation} (hold)"] = self.timed, way
        return starts

    def hold_starts(self, name):
        """Readings of the clock after which the next is the last."""
        longest = Longest(self.timed)
        longest.bound(self.timed.symbol(name))
        after = {a: self.readings_after(a) for a in longest.rest if self.reads_clock(a)}
        return {a for a, nexts in after.items() if any(not after[n] for n in nexts)}

    def readings_after(self, addr):
        longest = Longest(self.timed, self.next_reading(addr))
        longest.bound(addr)
        return [a for a in longest.rest if a != addr and self.reads_clock(a)]

    def reads_clock(self, addr):
        image = self.timed.image_of(addr)
        return bool(image) and image.at(addr).name == "rdtsc"

    def next_reading(self, start):
        return lambda addr: addr != start and self.reads_clock(addr)

    def clock_overhead(self):
        """Instructions from one reading to the next with nothing in between."""
        start = self.timed.symbol(paths.CALIBRATION)
        size = next(s.size for s in self.module.elf.symbols if s.addr == start and s.size)
        first = next(a for a in range(start, start + size)
                     if self.module.at(a) and self.reads_clock(a))
        return Longest(self.timed, self.next_reading(first)).bound(first)

    def hold(self, longest):
        """From what takes the lock to the call that releases it, or to the path's end."""
        calls = {a: self.called(a) for a in longest.rest}
        ends = {a + self.module.at(a).size for a, name in calls.items() if name in paths.UNLOCK}
        starts = [a for a, name in calls.items() if name in paths.LOCK or self.takes_lock(a)]
        if not starts:
            raise Fault("missing", min(longest.rest), "takes the lock neither by a function that "
                        "LOCK in tools/wcet/paths.py names nor by an atomic instruction")
        return max(Longest(self.plain, ends.__contains__).bound(a) for a in starts)

    def takes_lock(self, addr):
        insn = self.module.at(addr)
        return bool(insn) and insn.name == "cmpxchg" and "lock" in insn.prefixes

    def called(self, addr):
        insn = self.module.at(addr)
        return self.module.target(insn)[1] if insn and insn.name == "call" and \
            not insn.operands[0].startswith("*") else None


class Source:
    """Where an address is in the source: by addr2line, else function+offset."""

    def __init__(self, module):
        self.module = module

    def name(self, addr):
        if addr is None:
            return ""
        start = max((a for a in self.module.names if a <= addr), default=None)
        if start is None or start >> 32 != addr >> 32:
            return f"{addr:#x}"
        return f"{self.module.names[start]}+{addr - start:#x}"

    def line(self, addr):
        """(file:line, function that the compiler inlined there, if another)"""
        elf = self.module.elf
        section = next((s for s in elf.sections if elf.relocatable and
                        s.base and s.base <= addr < s.base + s.size), None)
        if not section:
            return "?", ""
        run = subprocess.run(["addr2line", "-f", "-e", elf.path, "-j", section.name,
                              f"{addr - section.base:#x}"], capture_output=True, text=True,
                             check=False)
        function, _, place = run.stdout.strip().partition("\n")
        path, _, line = place.partition(":")
        if not line or path == "??":
            return "?", ""
        inlined = function + " in " if not self.name(addr).startswith(function + "+") else ""
        return f"{os.path.basename(path)}:{line.split()[0]}", inlined

    def describe(self, fault):
        line, inlined = self.line(fault.addr)
        text = f"{line}: {inlined}{self.name(fault.addr)}: {fault.text}"
        return text if fault.to is None else \
            f"{text} {self.name(fault.to)} ({self.line(fault.to)[0]})"


def print_table(rows, maxima):
    print(f"{'path':<28}{'static_bound':>13}{'measured_max':>13}{'max/bound':>10}")
    for name, bound in rows:
        seen = maxima.get(name)
        print(f"{name:<28}{bound:>13}" + (f"{seen:>13}{seen / bound:>10.2f}" if seen else ""))


def print_notes(analysis, hold):
    slub = paths.SLUB_AT_BEST.get(ceilings.kernel_line(release_of(analysis.module.elf)))
    bounds = dict(analysis.rows)
    print("\nNo path has a loop, a recursion or an indirect call.")
    if slub and PAIR in bounds:
        print(f"{PAIR} take at most {bounds[PAIR]}; slab's kmalloc + kfree take {slub} at best.")
    if hold:
        print(f"Spinning for the lock is apart: at most (CPUs - 1) x {hold} instructions, while "
              "these\npaths alone take it.")
    print("\nCold exits, where a path ends because it is no longer the operation asked for:")
    met = analysis.plain.met | analysis.timed.met | analysis.full.met | analysis.draining.met | analysis.retried.met
    for name in sorted(met & analysis.cold.keys()):
        print(f"  {name:<34}{analysis.cold[name]}")
    print("\nAsides, one instruction each:")
    for name in sorted(met & paths.ASIDE.keys()):
        print(f"  {name:<34}{paths.ASIDE[name]}")


def write_csv(path, release, rows, maxima):
    with open(path, "w", newline="", encoding="utf-8") as f:
        out = csv.writer(f, lineterminator="\n")
        out.writerow(("kernel", "path", "static_bound", "measured_max"))
        out.writerows((release, name, bound, maxima.get(name, "")) for name, bound in rows)


def print_way(analysis, source, name):
    """The longest path, instruction by instruction."""
    program, way = analysis.ways[name]
    for addr in way:
        image, insn = program.at(addr)
        where = source.name(addr) if image is program.module else f"kernel {addr:#x}"
        print(f"{program.step(addr).weight:>3}  {where:<34}{insn.text}")


def adds_too_much(recording):
    bad = [name for name, more in recording.items() if more > paths.RECORDING_MAX]
    for name in bad:
        print(f"wcet: recording adds {recording[name]} to {name}, and may add "
              f"{paths.RECORDING_MAX}", file=sys.stderr)
    return bad


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("module", help="tlsf_mod.ko, or tlsf_core.o without a kernel")
    parser.add_argument("--kernel", help="bzImage that the module is for; without it only the "
                        "core's own functions are looked at")
    parser.add_argument("--measured", help="log of guest.sh")
    parser.add_argument("--csv", help="also write the table there")
    parser.add_argument("--ceilings", help="table of what each bound may be at most")
    parser.add_argument("--record", action="store_true", help="write today's bounds there")
    parser.add_argument("--path", help="show this path instruction by instruction")
    parser.add_argument("--returns", type=int, default=1, metavar="N", help="instructions of "
                        "a return, where a mitigation makes it more than 1")
    return parser.parse_args()


def main():
    args = parse_arguments()
    module = read_module(args.module)
    release, source = release_of(module.elf), Source(module)
    with tempfile.TemporaryDirectory() as directory:
        try:
            kernel = args.kernel and read_kernel(args.kernel, release, directory)
            analysis = Analysis(module, kernel, args.returns)
            hold = analysis.run() if kernel else analysis.run_core()
        except Fault as fault:
            sys.exit(f"wcet: {source.describe(fault)}")
        if args.path and args.path not in analysis.ways:
            sys.exit(f"wcet: no path '{args.path}'; there are: {', '.join(analysis.ways)}")
        if args.path:
            return print_way(analysis, source, args.path)
    return report(args, release, analysis, hold)


def report(args, release, analysis, hold):
    """Print all, and say whether all is well."""
    measured, rows, kernel = Measured(args.measured), analysis.rows, ceilings.kernel_line(release)
    print(f"{release or args.module}, in instructions\n")
    print_table(rows, measured.maxima)
    if measured.phases:
        measured.print_phases(rows)
    if measured.flat:
        measured.print_flat()
    print_notes(analysis, hold)
    if args.csv:
        write_csv(args.csv, release, rows, measured.maxima)
    bad = measured.exceeded(rows) + measured.moved() + adds_too_much(analysis.recording())
    if args.record:
        ceilings.record(args.ceilings, kernel, rows)
    elif args.ceilings:
        bad += ceilings.exceeded(args.ceilings, kernel, rows)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
