# SPDX-License-Identifier: GPL-2.0-only
"""Instructions, as objdump decodes them.

Room: wcet. Nothing here knows what an instruction does; see program.py and values.py.
"""
import re
import subprocess
from collections import namedtuple

Insn = namedtuple("Insn", "addr size prefixes name operands text")

LINE = re.compile(r"^ *([0-9a-f]+):\t(.*?)\s*$")
SECTION = re.compile(r"^Disassembly of section (.*):$")
PREFIXES = {"lock", "rep", "repz", "repnz", "bnd", "notrack", "data16", "addr32",
            "cs", "ds", "es", "fs", "gs", "ss"}


def operands_of(text):
    """'a,b(c,d)' -> ['a', 'b(c,d)']"""
    return re.findall(r"(?:[^,(]|\([^)]*\))+", text)


def parse(addr, size, text):
    """One instruction from objdump's words for it."""
    text = re.sub(r"\s*(#|<).*", "", text)
    words = text.split(None, 1)
    prefixes = set()
    while words and (words[0] in PREFIXES or words[0].startswith("rex")):
        prefixes.add(words[0])
        words = words[1].split(None, 1) if len(words) > 1 else []
    name = words[0] if words else "nop"
    return Insn(addr, size, prefixes, name, operands_of(words[1]) if len(words) > 1 else [], text)


def objdump(path, *options):
    command = ["objdump", "-d", "-w", "--no-show-raw-insn", *options, path]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def decode_sections(path, sections):
    """All of these sections: {address: Insn}. An address is the section's base plus offset."""
    insns = {}
    bases = {s.name: (s.base - s.addr, s.base + s.size) for s in sections}
    found = []
    for line in objdump(path, *(f"-j{s.name}" for s in sections)).splitlines() + ["end"]:
        header, match = SECTION.match(line), LINE.match(line)
        if header or line == "end":
            insns.update(sized(found, bases[section][1] if found else 0))
            section, found = header and header[1], []
        elif match:
            found.append((bases[section][0] + int(match[1], 16), match[2]))
    return insns


def decode_range(path, start, stop):
    """What lies between two addresses of a linked file."""
    out = objdump(path, f"--start-address={start:#x}", f"--stop-address={stop:#x}")
    found = [(int(m[1], 16), m[2]) for m in map(LINE.match, out.splitlines()) if m]
    return sized(found, stop)


def sized(found, end):
    ends = [addr for addr, _ in found[1:]] + [end]
    return {addr: parse(addr, after - addr, text) for (addr, text), after in zip(found, ends)}
