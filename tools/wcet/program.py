# SPDX-License-Identifier: GPL-2.0-only
"""Code as it runs: what the kernel patches at boot is applied while it is read.

Room: wcet. A distribution kernel does this to a module's code, and to its own:

  call __fentry__              a 5-byte nop, unless the function is being traced
  jmp __x86_return_thunk       a plain ret, or the thunk of a mitigation: see @returns
  static branch (jump label)   nop or jmp, by the setting of its key
  alternative                  the longer of what can stand there, nops for padding too
  paravirtual call             the alternative for all but paravirtual guests
  feature test                 either way: a branch that nothing is known of

All else is taken as it stands. What cannot be followed raises Fault: an indirect call
or jump (retpolines too), "rep" with a count that is not a constant, unknown code.
"""
import struct
from collections import namedtuple

from decode import decode_range, decode_sections

# One step of a path. kind: "flow", "call" (nexts[0] is where it returns), "ret", or
# "end": the path leaves what is bounded, to @why. insns: what is carried out, None when
# that is not known. Of two nexts the first is where a branch goes that is not taken; where
# there are no insns, nothing is known of which it is.
Step = namedtuple("Step", "kind weight nexts callee why insns")
Label = namedtuple("Label", "key target jumps_when_off")
Entry = namedtuple("Entry", "site length replacement replacement_length feature inverted")

LONGEST = 15        # bytes of an instruction
NOP_MAX = 8         # longest nop that the kernel pads with
TRAPS = {"ud2", "int3", "hlt", "ud1"}
REPEATS = {"rep", "repz", "repnz"}
RCX = {"%rcx", "%ecx", "%cx", "%cl", "%ch"}
IMPLICIT_RCX = {"cpuid", "rdmsr", "rdtscp", "rdpmc", "xchg", "xgetbv"}
FOREIGN = {"iret", "iretq", "syscall", "sysret", "sysretq", "sysexit", "xabort"}


class Fault(Exception):
    """A path without a bound, or with one that is not found. @addr: where; @to: to where."""

    def __init__(self, kind, addr, text, to=None):
        super().__init__(text)
        self.kind, self.addr, self.text, self.to = kind, addr, text, to


class Image:
    """Decoded code of one ELF file and the tables that the kernel patches it by."""

    def __init__(self, elf, wide_alternatives=False):
        self.elf, self.insns, self.names, self.symbols = elf, {}, {}, {}
        self.labels = self._labels()
        self.sites = {}
        for entry in self._alternatives(wide_alternatives):
            self.sites.setdefault(entry.site, []).append(entry)

    def at(self, addr):
        return self.insns.get(addr)

    def _pointer(self, place):
        """What a 32-bit offset from where it stands points at."""
        reloc = self.elf.relocs.get(place)
        if reloc:
            return reloc.addr + reloc.addend
        return place + struct.unpack("<i", self.elf.bytes_at(place, 4))[0]

    def _labels(self):
        table, labels = self.elf.section("__jump_table"), {}
        for place in range(table.base, table.base + table.size, 16) if table else ():
            key = self.elf.relocs[place + 8]
            labels[self._pointer(place)] = Label(
                self._object(key), self._pointer(place + 4), bool(key.addend & 1))
        return labels

    def _object(self, reloc):
        """Name of the object that a relocation lies in."""
        if reloc.addr is None:
            return reloc.symbol
        where = reloc.addr + reloc.addend
        return next((s.name for s in self.elf.symbols if s.addr is not None and s.size and
                     s.addr <= where < s.addr + s.size), reloc.symbol)

    def _alternatives(self, wide):
        """struct alt_instr: 12 bytes, from 6.3 on 14, with the flags in a word of their own."""
        table = self.elf.section(".altinstructions")
        size = 14 if wide else 12
        for place in range(table.base, table.base + table.size, size) if table else ():
            raw = self.elf.bytes_at(place, size)
            flags = raw[10] & 1 if wide else raw[9] >> 7
            yield Entry(self._pointer(place), raw[size - 2], self._pointer(place + 4),
                        raw[size - 1], raw[8] + 256 * (raw[9] & 127), bool(flags))


class Module(Image):
    """A relocatable file, decoded whole. @marked_cold: functions that the source marks so."""

    def __init__(self, elf, wide_alternatives=False):
        super().__init__(elf, wide_alternatives)
        self.insns = decode_sections(elf.path, elf.executable())
        for s in elf.symbols:
            if s.addr is not None and s.is_function:
                self.names[s.addr], self.symbols[s.name] = s.name, s.addr
        self.marked_cold = cold_functions(elf)

    def target(self, insn):
        """(address or None, name or None) of a direct branch."""
        for place in range(insn.addr, insn.addr + insn.size):
            reloc = self.elf.relocs.get(place)
            if reloc and reloc.addr is None:
                return None, reloc.symbol
            if reloc:
                addr = reloc.addr + reloc.addend + insn.addr + insn.size - place
                return addr, self.names.get(addr)
        addr = (insn.addr >> 32 << 32) + int(insn.operands[0], 16)
        return addr, self.names.get(addr)


def cold_functions(elf):
    """Compilers put functions marked __cold into .text.unlikely; linkers may merge it."""
    section = elf.section(".text.unlikely")
    return {plain(s.name) for s in elf.symbols
            if section and s.is_function and s.addr is not None and ".cold" not in s.name and
            0 <= s.addr - section.base < section.size}


class Kernel(Image):
    """A linked kernel; decoded where it is asked for."""

    WINDOW = 1024

    def __init__(self, elf, exported, wide_alternatives=False):
        super().__init__(elf, wide_alternatives)
        self.symbols = exported
        self.names = {addr: name for name, addr in exported.items()}

    def at(self, addr):
        """A window has no boundaries but those after @addr; its end may cut an instruction."""
        if addr not in self.insns and self._is_code(addr):
            end = addr + self.WINDOW
            found = decode_range(self.elf.path, addr, end + LONGEST)
            self.insns.update((a, insn) for a, insn in found.items() if a < end)
        return self.insns.get(addr)

    def _is_code(self, addr):
        return any(s.addr <= addr < s.addr + s.size for s in self.elf.executable())

    def replacement(self, addr, size):
        return decode_range(self.elf.path, addr, addr + size)

    def target(self, insn):
        addr = int(insn.operands[0], 16)
        return addr, self.names.get(addr)


class Program:
    """A module and, for the few functions named in @follow, the kernel below it.

    @on: names of the static keys that are on. @cold: names of functions at which a path
    ends, because they are outside the bound; with * at the end, of all that begin so.
    @aside: names of those that count as the one instruction that calls them. Met ones are
    added to @met, as they are named here. @features: numbers of those that the processor
    has for certain. @returns: how many instructions a return is; 1 where no mitigation
    gives it a thunk.
    """

    def __init__(self, module, kernel=None, follow=(), on=(), cold=(), aside=(), features=(),
                 returns=1):
        self.images = [module] + ([kernel] if kernel else [])
        self.module, self.kernel = module, kernel
        self.follow, self.on, self.cold, self.aside = map(set, (follow, on, cold, aside))
        self.prefixes = tuple(name[:-1] for name in self.cold if name.endswith("*"))
        self.met, self.features, self.returns = set(), set(features), returns
        self._targets = {}

    def symbol(self, name):
        if name not in self.module.symbols:
            raise Fault("missing", 0, f"there is no function {name}, which tools/wcet/paths.py names")
        return self.module.symbols[name]

    def image_of(self, addr):
        return next((i for i in self.images if i.at(addr)), None)

    def at(self, addr):
        image = self.image_of(addr)
        if not image:
            raise Fault("unknown", addr, "runs into what is no code")
        return image, image.at(addr)

    def step(self, addr):
        """What happens at @addr."""
        image, insn = self.at(addr)
        if addr in image.sites and not only_paravirtual(insn, image.sites[addr]):
            return self._alternative(image, insn)
        if addr in image.labels:
            return self._label(image.labels[addr], insn)
        if insn.name in TRAPS:
            return end(insn.name)
        if insn.name in FOREIGN:
            raise Fault("unknown", addr, f"'{insn.text}' is not followed")
        if insn.name.startswith("ret"):
            return self._return(insn)
        if insn.name == "call":
            return self._call(image, insn)
        if insn.name == "jmp":
            return self._jump(image, insn)
        if insn.name.startswith("loop"):
            raise Fault("loop", addr, f"'{insn.text}' loops")
        if insn.name.startswith("j"):
            return self._branch(image, insn)
        return flow(self._repeats(insn) if insn.prefixes & REPEATS else 1,
                    (insn,), insn.addr + insn.size)

    def _branch(self, image, insn):
        callee, name = self._callee(image, insn)
        if name == "__x86_return_thunk" or plain(name) in self.aside:
            raise Fault("unknown", insn.addr, f"'{insn.text}' returns on a condition")
        after = insn.addr + insn.size
        return flow(1, (insn,), after, callee) if callee is not None else flow(1, (insn,), after)

    def _return(self, insn):
        return Step("ret", self.returns, [], None, None, (insn,))

    def _label(self, label, insn):
        jumps = (label.key in self.on) != label.jumps_when_off
        return flow(1, (), label.target if jumps else insn.addr + insn.size)

    def _call(self, image, insn):
        after = insn.addr + insn.size
        callee, name = self._callee(image, insn)
        if name == "__fentry__" or plain(name) in self.aside:
            return flow(1, (), after)
        if callee is None:
            return end(name)
        return Step("call", 1, [after], callee, None, (insn,))

    def _jump(self, image, insn):
        callee, name = self._callee(image, insn)
        if name == "__x86_return_thunk" or plain(name) in self.aside:
            return self._return(insn._replace(name="ret"))
        if callee is None:
            return end(name)
        return flow(1, (insn,), callee)

    def _callee(self, image, insn):
        """(address, name) of what a call or jump goes to; no address where the path ends."""
        if insn.operands[0].startswith("*"):
            return self._indirect(image, insn, "")
        addr, name = image.target(insn)
        if name in ("__fentry__", "__x86_return_thunk"):
            return None, name
        if name and name.startswith("__x86_indirect_thunk"):
            return self._indirect(image, insn, " (a retpoline)")
        if self._ends_at(plain(name)) or plain(name) in self.aside:
            return None, name
        if addr is None and self.kernel and name in self.follow:
            addr = self.kernel.symbols.get(name)
        if addr is None or image is self.kernel and name and name not in self.follow:
            raise Fault("external", insn.addr, f"calls {name}, for which there is no bound. Where "
                        "the path is no longer the operation, mark what leads there __cold, or add "
                        f"{name} to COLD in tools/wcet/paths.py, with the reason")
        return addr, name

    def _ends_at(self, name):
        """Is it a cold exit? Those met, and asides, are remembered."""
        known = name in self.cold | self.aside and name
        if not known and name and name.startswith(self.prefixes):
            known = next(p for p in self.prefixes if name.startswith(p)) + "*"
        if known:
            self.met.add(known)
        return known and known not in self.aside

    def _indirect(self, image, insn, how):
        """Inside a lock function it is the paravirtual slow path: the lock is taken."""
        if image is self.kernel and "spin" in self.cold:
            self.met.add("spin")
            return None, "spin"
        raise Fault("indirect", insn.addr, f"'{insn.text}'{how} is an indirect {insn.name}")

    def _alternative(self, image, insn):
        entries = image.sites[insn.addr]
        length = max(e.length for e in entries)
        if insn.name == "jmp":
            return self._feature_test(image, insn, entries)
        if is_indirect_call(insn):
            entries = [e for e in entries if e.inverted]
        choices = [replacement(image, e) for e in entries]
        weights = [straight(c) + padding(length - e.replacement_length)
                   for e, c in zip(entries, choices)]
        if not is_indirect_call(insn):
            original = list(span(image, insn.addr, length))
            weights.append(straight(original))
            choices.append(original)
        return flow(max(weights), tuple(choices[0]) if len(choices) == 1 else None,
                    insn.addr + length)

    def _feature_test(self, image, insn, entries):
        """static_cpu_has(): a jump that is put there for good, or nops."""
        lengths = [e.replacement_length for e in entries]
        jump = [i for e in entries for i in replacement(image, e)]
        if len(entries) != 2 or lengths[1] or len(jump) != 1 or jump[0].name != "jmp":
            raise Fault("unknown", insn.addr, f"'{insn.text}' with alternatives is not followed")
        after, weight = insn.addr + insn.size, padding(insn.size)
        if entries[1].feature in self.features:
            return flow(weight, (), after)
        return flow(weight, (), after, image.target(jump[0])[0])

    def _repeats(self, insn):
        """One instruction for each round, and one that finds the count used up.

        The count must be a constant of the same stretch of code, that nothing jumps into.
        """
        image, at = self.image_of(insn.addr), insn
        while at and at.addr not in self._jumped_to(image) and not ends_stretch(at):
            at = before(image, at.addr)
            if at and at.name == "mov" and at.operands[0].startswith("$") and \
                    at.operands[1] in ("%ecx", "%rcx"):
                return int(at.operands[0][1:], 16) + 1
            if at and (at.prefixes & REPEATS or at.name in IMPLICIT_RCX or
                       set(at.operands[-1:]) & RCX):
                break
        raise Fault("loop", insn.addr, f"'{insn.text}' repeats as often as a register says")

    def _jumped_to(self, image):
        if image not in self._targets:
            self._targets[image] = {label.target for label in image.labels.values()} | {
                image.target(i)[0] for i in image.insns.values()
                if i.name.startswith(("j", "loop")) and not i.operands[0].startswith("*")}
        return self._targets[image]


def is_indirect_call(insn):
    return insn.name == "call" and insn.operands[0].startswith("*")


def only_paravirtual(insn, entries):
    """Is it a call for which nothing but other calls may stand?"""
    return is_indirect_call(insn) and not any(e.inverted for e in entries)


def ends_stretch(insn):
    return insn.name.startswith(("j", "call", "ret", "loop"))


def flow(weight, insns, *nexts):
    return Step("flow", weight, list(nexts), None, None, insns)


def end(why):
    return Step("end", 1, [], None, why, ())


def plain(name):
    """Without what compilers append to a copy: .isra.0, .part.0, .cold"""
    return name.split(".")[0] if name else name


def before(image, addr):
    return next((image.insns[a] for a in range(addr - 1, addr - 16, -1)
                 if a in image.insns and a + image.insns[a].size == addr), None)


def span(image, addr, length):
    """Instructions of a stretch of code, which it must tile."""
    end = addr + length
    while addr < end:
        insn = image.at(addr)
        yield insn
        addr += insn.size


def straight(insns):
    """How many they are, if none of them leads elsewhere."""
    for insn in insns:
        if ends_stretch(insn):
            raise Fault("unknown", insn.addr, f"'{insn.text}' in an alternative is not followed")
    return len(insns)


def padding(size):
    """Nops that the kernel fills @size bytes with."""
    return (size + NOP_MAX - 1) // NOP_MAX


def replacement(image, entry):
    if isinstance(image, Kernel):
        return list(image.replacement(entry.replacement, entry.replacement_length).values())
    return list(span(image, entry.replacement, entry.replacement_length))
