#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""The longest path of each operation, in instructions, from the object code.

Room: wcet. Reads tlsf_mod.ko and the kernel it was built for; what it does and what the
figures do not say is in docs/wcet.md. Exit status 1 when a path has no bound.
"""
import argparse
import csv
import os
import re
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True      # nothing is built outside build/

import paths
from elf import Elf
from kernel import exported, extract_vmlinux
from longest import NEVER, Longest
from program import Fault, Kernel, Module, Program


def read_module(path):
    with open(path, "rb") as f:
        elf = Elf(f.read(), path)
    return Module(elf, newer(release_of(elf)))


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
    with open(path, "rb") as f:
        elf = Elf(f.read(), path)
    return Kernel(elf, exported(elf), newer(release))


class Analysis:
    """All paths of one module; keeps what their figures were taken from."""

    def __init__(self, module, kernel, returns=1):
        self.module, self.kernel, self.returns = module, kernel, returns
        self.plain, self.timed = self.program(), self.program(paths.TIMING)
        self.rows, self.ways = [], {}

    def program(self, *on):
        return Program(self.module, self.kernel, paths.LOCK + paths.UNLOCK, on,
                       paths.COLD, self.returns)

    def check_callers(self):
        for cold, callee in paths.ONE_CALLER.items():
            addr = self.module.symbols.get(callee)
            callers = sum(r.addr == addr or r.symbol == callee
                          for at, r in self.module.elf.relocs.items() if self.module.at(at - 1))
            if callers != 1:
                raise Fault("assumption", addr or 0, f"{callee} has {callers} callers, but that "
                            f"{cold} is off every path rests on its having one")

    def add(self, name, program, start, stop=lambda addr: False, less=0):
        longest = Longest(program, stop)
        lazy = longest.bound(start)
        if lazy == NEVER:
            raise Fault("missing", start, f"no path of {name} comes to an end")
        length, way = longest.feasible(start)
        self.rows.append((name, length - less))
        self.ways[name] = (program, way)
        return longest

    def run_core(self):
        for name in paths.CORE:
            self.add(name, self.plain, self.plain.symbol(name))

    def run(self):
        """Every row, and the longest hold of the lock."""
        self.check_callers()
        walked = [self.add(name, self.plain, self.plain.symbol(name))
                  for name in paths.PLAIN + (paths.DRAIN,)]
        self.run_core()
        overhead = self.clock_overhead()
        for operation, functions in paths.TIMED.items():
            start = max((self.clock_readings(name)[0] for name in functions), key=self.held)
            self.add(f"{operation} (hold)", self.timed, start, self.second_reading(start), overhead)
        for name in paths.RECORDED:
            self.add(f"{name} (timed)", self.timed, self.timed.symbol(name))
        return max(self.hold(longest) for longest in walked)

    def reads_clock(self, addr):
        image = self.timed.image_of(addr)
        return bool(image) and image.at(addr).name == "rdtsc"

    def clock_readings(self, function):
        """Where a function does, in the order of the code."""
        start = self.timed.symbol(function)
        size = next(s.size for s in self.module.elf.symbols if s.addr == start and s.size)
        found = [a for a in range(start, start + size) if self.module.at(a) and self.reads_clock(a)]
        if len(found) < 2:
            raise Fault("missing", start, f"{function} does not read the clock twice")
        return found

    def second_reading(self, start):
        return lambda addr: addr != start and self.reads_clock(addr)

    def held(self, start):
        """Instructions from this reading of the clock to the next."""
        return Longest(self.timed, self.second_reading(start)).feasible(start)[0]

    def recording(self):
        """{path: instructions that recording adds to it}"""
        bound = dict(self.rows)
        return {name: bound[f"{name} (timed)"] - bound[name]
                for name in paths.RECORDED if f"{name} (timed)" in bound}

    def clock_overhead(self):
        """Instructions from one reading to the next with nothing in between."""
        start = self.clock_readings(paths.CALIBRATION)[0]
        return Longest(self.timed, self.second_reading(start)).bound(start)

    def hold(self, longest):
        """From what takes the lock to the end of the path, which is after its release."""
        return max(longest.rest[a] for a in longest.rest if self.takes_lock(a))

    def takes_lock(self, addr):
        """Opened up in the module: the only atomic instruction of a path."""
        insn = self.module.at(addr)
        return insn and insn.name == "cmpxchg" and "lock" in insn.prefixes


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
        elf = self.module.elf
        section = next((s for s in elf.sections if elf.relocatable and
                        s.base and s.base <= addr < s.base + s.size), None)
        if not section:
            return "?"
        run = subprocess.run(["addr2line", "-e", elf.path, "-j", section.name,
                              f"{addr - section.base:#x}"], capture_output=True, text=True,
                             check=False)
        path, _, line = run.stdout.strip().partition(":")
        return f"{os.path.basename(path)}:{line.split()[0]}" if line and path != "??" else "?"

    def describe(self, fault):
        text = f"{self.line(fault.addr)}: {self.name(fault.addr)}: {fault.text}"
        return text if fault.to is None else \
            f"{text} {self.name(fault.to)} ({self.line(fault.to)})"


def read_measured(path):
    """{row: maximum} from lines 'wcet-max NAME NUMBER', the largest of each."""
    measured = {}
    with open(path, encoding="utf-8", errors="replace") as f:
        for name, figure in re.findall(r"wcet-max (.+) (\d+)\s*$", f.read(), re.M):
            measured[name] = max(measured.get(name, 0), int(figure))
    return measured


def print_table(rows, measured):
    print(f"{'path':<28}{'static_bound':>13}{'measured_max':>13}{'max/bound':>10}")
    for name, bound in rows:
        seen = measured.get(name)
        print(f"{name:<28}{bound:>13}" + (f"{seen:>13}{seen / bound:>10.2f}" if seen else ""))


def print_notes(analysis, hold):
    bound = dict(analysis.rows)
    print("\nNo path has a loop, a recursion or an indirect call.")
    if hold:
        print(f"Allocate and free together: {sum(bound[name] for name in paths.PAIR)}. Spinning "
              f"for the lock is apart: at most\n(CPUs - 1) x {hold} instructions, while these "
              "paths alone take it.")
        added = ", ".join(f"{name} {more}" for name, more in analysis.recording().items())
        print(f"Recording adds at most: {added}.")
    print("\nCold exits, where a path ends because it is no longer the operation asked for:")
    for name in sorted(analysis.plain.met | analysis.timed.met):
        print(f"  {name:<34}{paths.COLD[name]}")


def write_csv(path, release, rows, measured):
    with open(path, "w", newline="", encoding="utf-8") as f:
        out = csv.writer(f, lineterminator="\n")
        out.writerow(("kernel", "path", "static_bound", "measured_max"))
        out.writerows((release, name, bound, measured.get(name, "")) for name, bound in rows)


def print_way(analysis, source, name):
    """The longest path, instruction by instruction."""
    program, way = analysis.ways[name]
    for addr in way:
        image, insn = program.at(addr)
        where = source.name(addr) if image is program.module else f"kernel {addr:#x}"
        print(f"{program.step(addr).weight:>3}  {where:<34}{insn.text}")


def exceeded(rows, measured):
    bad = [name for name, bound in rows if measured.get(name, 0) > bound]
    for name in bad:
        print(f"wcet: {name} was measured above its bound: the bound is wrong", file=sys.stderr)
    return bad


def too_much(recording):
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
    parser.add_argument("--measured", help="log with lines 'wcet-max PATH NUMBER'")
    parser.add_argument("--csv", help="also write the table there")
    parser.add_argument("--path", help="show this path instruction by instruction")
    parser.add_argument("--returns", type=int, default=1, metavar="N", help="instructions of "
                        "a return, where a mitigation makes it more than 1")
    return parser.parse_args()


def main():
    args = parse_arguments()
    module = read_module(args.module)
    release, source = release_of(module.elf), Source(module)
    measured = read_measured(args.measured) if args.measured else {}
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
    print(f"{release or args.module}, in instructions\n")
    print_table(analysis.rows, measured)
    print_notes(analysis, hold)
    if args.csv:
        write_csv(args.csv, release, analysis.rows, measured)
    bad = exceeded(analysis.rows, measured) + too_much(analysis.recording())
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
