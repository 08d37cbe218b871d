# SPDX-License-Identifier: GPL-2.0-only
"""What is known of the registers and of the stack on the way along one path.

Room: wcet. longest.py asks one thing of it: can this branch go that way, here? "No" is a
proof, so every rule errs towards "perhaps": an instruction without a rule forgets all.

A value is one of
    Number(low, high, zeros, tag)   unsigned 64 bits; zeros: bits that are known to be 0;
                                    tag: values with the same one are equal
    Stack(offset)                   an address in our own frames, from where rsp was at first
    UNKNOWN                         anything, also an address in our own frames

A Number was never made from an address in our frames, so memory that it points at is
not in them, as long as no such address was stored outside them ("escaped"). An address
that was read or written through is not in the first or the last page, or the kernel
would have died of it.
"""
import re
from collections import namedtuple

Number = namedtuple("Number", "low high zeros tag", defaults=(None,))
Stack = namedtuple("Stack", "offset")
Flags = namedtuple("Flags", "left right register")  # of left - right; register holds left
UNKNOWN = None
MAX = (1 << 64) - 1
PAGE = 4096


def low_bits(n):
    return (1 << n) - 1


def number(low, high, zeros=0):
    if low == high:
        return Number(low, high, MAX & ~low)
    return Number(low, high, zeros | MAX & ~low_bits(high.bit_length()))


def constant(value):
    return number(value & MAX, value & MAX)


ANY = number(0, MAX)
ZERO = constant(0)


def is_number(*values):
    return all(isinstance(v, Number) for v in values)


def is_constant(*values):
    return all(isinstance(v, Number) and v.low == v.high for v in values)


def trailing(v):
    """How many of the lowest bits are known to be 0."""
    ones = MAX & ~v.zeros
    return (ones & -ones).bit_length() - 1 if ones else 64


# ---- arithmetic on values ----

def add(a, b):
    if isinstance(b, Stack):
        a, b = b, a
    if isinstance(a, Stack) and is_constant(b):
        return Stack(a.offset + b.low - (b.low >> 63 << 64))
    if not is_number(a, b):
        return UNKNOWN
    if is_constant(a, b):
        return constant(a.low + b.low)
    zeros = low_bits(min(trailing(a), trailing(b)))
    if a.high + b.high > MAX:
        return number(0, MAX, zeros)
    return number(a.low + b.low, a.high + b.high, zeros)


def subtract(a, b):
    if is_constant(b) and (isinstance(a, Stack) or is_constant(a)):
        return add(a, constant(-b.low))
    if not is_number(a, b):
        return UNKNOWN
    zeros = low_bits(min(trailing(a), trailing(b)))
    if a.low < b.high:
        return number(0, MAX, zeros)
    return number(a.low - b.high, a.high - b.low, zeros)


def bit_and(a, b):
    if not is_number(a, b):
        return UNKNOWN
    if is_constant(a, b):
        return constant(a.low & b.low)
    zeros = a.zeros | b.zeros
    return number(0, min(a.high, b.high, MAX & ~zeros), zeros)


def bit_or(a, b):
    if not is_number(a, b):
        return UNKNOWN
    if is_constant(a, b):
        return constant(a.low | b.low)
    zeros = a.zeros & b.zeros
    return number(max(a.low, b.low), MAX & ~zeros, zeros)


def bit_xor(a, b):
    if not is_number(a, b):
        return UNKNOWN
    if is_constant(a, b):
        return constant(a.low ^ b.low)
    zeros = a.zeros & b.zeros
    return number(0, MAX & ~zeros, zeros)


def shift_left(a, n):
    if not is_number(a, n):
        return UNKNOWN
    if is_constant(n) and n.low < 32:   # more would mean less in 32 bits
        by = n.low
        if a.high << by <= MAX:
            return number(a.low << by, a.high << by, (a.zeros << by | low_bits(by)) & MAX)
        return number(0, MAX, (a.zeros << by | low_bits(by)) & MAX)
    return number(0, MAX, low_bits(trailing(a)))


def shift_right(a, n):
    if not is_number(a, n):
        return UNKNOWN
    if is_constant(n) and n.low < 32:
        by = n.low
        return number(a.low >> by, a.high >> by, a.zeros >> by)
    return number(0, a.high)


def trailing_zeros(a, in_place):
    """tzcnt; of 0 it says 64, or, decoded as bsf, what was there before: 0 if @in_place."""
    if not is_number(a):
        return ANY
    if a.low:
        return number(trailing(a), 63)
    return number(0, 64) if in_place else ANY


def highest_bit(a, _in_place):
    if not is_number(a) or not a.low:
        return ANY
    return number(a.low.bit_length() - 1, a.high.bit_length() - 1)


def truncate(v, bits):
    if bits == 64:
        return v
    if not is_number(v):
        return UNKNOWN
    if is_constant(v):
        return constant(v.low & low_bits(bits))
    return v if v.high <= low_bits(bits) else number(0, low_bits(bits), v.zeros)


def sign_extend(v, bits):
    if is_number(v) and v.high < 1 << (bits - 1):
        return v
    return ANY if is_number(v) else UNKNOWN


def within(v, low, high):
    """The same value, now that it is known to be between these."""
    low, high = max(low, v.low), min(high, v.high)
    return number(low, high, v.zeros)._replace(tag=v.tag) if low <= high else v


def either(a, b):
    if a == b:
        return a
    if not is_number(a, b):
        return UNKNOWN
    return number(min(a.low, b.low), max(a.high, b.high), a.zeros & b.zeros)


# ---- operands ----

def register_names():
    """{name: (64-bit register, bits)}; bits of the second lowest byte: HIGH."""
    names = {}
    for r in "abcd":
        names |= {f"r{r}x": (f"r{r}x", 64), f"e{r}x": (f"r{r}x", 32), f"{r}x": (f"r{r}x", 16),
                  f"{r}l": (f"r{r}x", 8), f"{r}h": (f"r{r}x", HIGH)}
    for r in ("si", "di", "bp", "sp"):
        names |= {"r" + r: ("r" + r, 64), "e" + r: ("r" + r, 32), r: ("r" + r, 16),
                  r + "l": ("r" + r, 8)}
    for n in range(8, 16):
        names |= {f"r{n}{suffix}": (f"r{n}", bits)
                  for suffix, bits in (("", 64), ("d", 32), ("w", 16), ("b", 8))}
    return names


HIGH = -8
REGISTERS = register_names()
SUFFIX = {"b": 8, "w": 16, "l": 32, "q": 64}
MEMORY = re.compile(r"^(%\w+:)?(-?0x[0-9a-f]+)?(?:\((%\w+)?(?:,(%\w+),(\d))?\))?$")
BINARY = {"add": add, "sub": subtract, "and": bit_and, "or": bit_or, "xor": bit_xor,
          "shl": shift_left, "sal": shift_left, "shr": shift_right}
SHIFTS = {"shl", "sal", "shr"}
UNARY = {"tzcnt": trailing_zeros, "bsr": highest_bit}
# with one destination, the last operand, and a result that is not followed
OPAQUE = {"rol", "ror", "sar", "neg", "not", "inc", "dec", "adc", "sbb", "imul", "bswap",
          "lzcnt", "popcnt", "bsf", "rorx", "shld", "shrd", "bts", "btr", "movsbl", "movswl"}
WHOLE = {*BINARY, *UNARY, *OPAQUE, "lea", "bt", "cmpxchg", "xadd"}     # without a suffix
SILENT = {"cli", "sti", "pause", "lfence", "mfence", "sfence", "endbr64"}


def conditions():
    """Of which (left, right) each condition can hold; the others may always."""
    return {
        "e": lambda a, b: a.low <= b.high and b.low <= a.high,
        "ne": lambda a, b: not (a.low == a.high == b.low == b.high),
        "b": lambda a, b: a.low < b.high,
        "ae": lambda a, b: a.high >= b.low,
        "a": lambda a, b: a.high > b.low,
        "be": lambda a, b: a.low <= b.high,
    }


POSSIBLE = conditions()
OPPOSITE = {"e": "ne", "ne": "e", "b": "ae", "ae": "b", "a": "be", "be": "a"}


class State:
    """Immutable from outside: after() and branch() give new ones."""

    def __init__(self):
        self.registers = dict.fromkeys((r for r, bits in REGISTERS.values() if bits == 64), ANY)
        self.registers["rsp"] = Stack(0)
        self.slots = {}         # offset -> (bytes, value)
        self.escaped = False
        self.flags = None
        self.here = None        # the instruction that is being carried out

    def copy(self):
        new = State.__new__(State)
        new.registers, new.slots = dict(self.registers), dict(self.slots)
        new.escaped, new.flags, new.here = self.escaped, self.flags, None
        return new

    def key(self):
        return (tuple(sorted(self.registers.items(), key=lambda r: r[0])),
                tuple(sorted(self.slots.items())), self.escaped, self.flags)

    def forget_all(self):
        self.registers = dict.fromkeys(self.registers, UNKNOWN)
        self.slots, self.escaped, self.flags = {}, True, None

    # -- reading and writing operands --

    def address(self, operand):
        match = MEMORY.match(operand)
        if not match:
            return UNKNOWN
        segment, displacement, base, index, scale = match.groups()
        if segment or base == "%rip":
            return ANY
        at = constant(int(displacement or "0", 16))
        if base:
            at = add(self.read(base), at)
        if index:
            at = add(at, shift_left(self.read(index), constant(int(scale).bit_length() - 1)))
        return at

    def read(self, operand, bits=64):
        if operand.startswith("$"):
            return truncate(constant(int(operand[1:], 16)), bits)
        if operand.startswith("%") and ":" not in operand:
            if operand[1:] not in REGISTERS:
                return UNKNOWN
            name, bits = REGISTERS[operand[1:]]
            if bits == HIGH:
                return number(0, 255) if is_number(self.registers[name]) else UNKNOWN
            return truncate(self.registers[name], bits)
        return self.load(self.address(operand), bits // 8)

    def load(self, at, size):
        if isinstance(at, Stack):
            known, value = self.slots.get(at.offset, (0, UNKNOWN))
            return value if known == size else UNKNOWN
        return number(0, low_bits(8 * size)) if is_number(at) and not self.escaped else UNKNOWN

    def write(self, operand, value, bits=64):
        if not operand.startswith("%") or ":" in operand:
            return self.store(self.address(operand), bits // 8, value)
        if operand[1:] not in REGISTERS:
            return self.forget_all()
        name, bits = REGISTERS[operand[1:]]
        if bits < 32:
            value = ANY if is_number(value, self.registers[name]) else UNKNOWN
        self.registers[name] = self.tagged(truncate(value, max(bits, 32)))
        if self.flags and self.flags.register == name:
            self.flags = self.flags._replace(register=None)

    def tagged(self, value):
        """A new value is named by the instruction that made it; what it made before is not."""
        if not is_number(value) or value.tag or is_constant(value):
            return value
        self.refine(self.here, lambda v: v._replace(tag=None))
        return value._replace(tag=self.here)

    def refine(self, tag, change):
        if tag is None:
            return
        for name, value in self.registers.items():
            if is_number(value) and value.tag == tag:
                self.registers[name] = change(value)
        for offset, (size, value) in self.slots.items():
            if is_number(value) and value.tag == tag:
                self.slots[offset] = size, change(value)

    def accessed(self, operand):
        """What its base register holds leads to memory that is there."""
        match = MEMORY.match(operand)
        segment, displacement, base, index, _ = match.groups() if match else (1, 0, 0, 0, 0)
        offset = int(displacement or "0", 16)
        if segment or index or base in (None, "%rip") or abs(offset) >= PAGE:
            return
        value = self.registers[REGISTERS[base[1:]][0]]
        if is_number(value):
            self.refine(value.tag, lambda v: within(v, PAGE - offset, MAX + 1 - PAGE - offset))

    def store(self, at, size, value):
        if at is UNKNOWN:
            self.slots.clear()
        elif isinstance(at, Stack):
            for offset, (length, _) in list(self.slots.items()):
                if offset < at.offset + size and at.offset < offset + length:
                    del self.slots[offset]
            self.slots[at.offset] = (size, value)
            return
        self.escaped |= not is_number(value)

    # -- instructions --

    def after(self, insn):
        """The state behind @insn, when it goes on to the next or to a call's start."""
        new = self.copy()
        new.run(insn)
        return new

    def run(self, insn):
        name, ops, self.here = insn.name, insn.operands, insn.addr
        if not name.startswith(("nop", "lea", "prefetch", "j")):
            for operand in ops:
                self.accessed(operand)
        if name.startswith(("nop", "prefetch")) or name in SILENT or \
                name == "xchg" and ops[0] == ops[1]:
            return
        if insn.prefixes & {"rep", "repz", "repnz"}:
            self.run_string(name, ops)
        elif name == "call" or name.startswith(("push", "pop", "ret")):
            self.run_stack(name, ops)
        elif name in ("test", "cmp") or name[:-1] in ("test", "cmp") and name[-1] in SUFFIX:
            self.run_compare(name, ops)
        elif name == "rdtsc":
            self.registers |= {"rax": ANY, "rdx": ANY}
        elif name in ("cltq", "cqto", "cltd"):
            self.run_extend(name)
        elif name.startswith("j"):
            return
        else:
            self.run_data(name, ops)

    def run_string(self, name, ops):
        count, to = self.registers["rcx"], self.registers["rdi"]
        if name != "stos" or not is_constant(count) or count.low > 512 or to is UNKNOWN:
            return self.forget_string()
        size = REGISTERS[ops[0][1:]][1] // 8
        for _ in range(count.low):
            self.store(to, size, self.read(ops[0]))
            to = add(to, constant(size))
        self.registers |= {"rcx": ZERO, "rdi": to}

    def forget_string(self):
        self.slots.clear()
        self.registers |= {"rcx": ANY, "rdi": UNKNOWN, "rsi": UNKNOWN, "rax": UNKNOWN}
        self.escaped, self.flags = True, None

    def run_stack(self, name, ops):
        down = name.startswith(("push", "call"))
        if down:
            value = self.read(ops[0]) if name in ("push", "pushq") else ANY
            self.registers["rsp"] = add(self.registers["rsp"], constant(-8))
            self.store(self.registers["rsp"], 8, value)
            return
        value = self.load(self.registers["rsp"], 8)
        self.registers["rsp"] = add(self.registers["rsp"], constant(8))
        if name in ("pop", "popq"):
            self.write(ops[0], value)
        elif name.startswith("popf"):
            self.flags = None

    def run_extend(self, name):
        rax = self.registers["rax"]
        if name == "cltq":
            self.write("%rax", sign_extend(truncate(rax, 32), 32))
        else:
            self.write("%rdx", ANY if is_number(rax) else UNKNOWN)

    def run_compare(self, name, ops):
        bits = self.width(name, ops)
        right, left = (self.read(o, bits) for o in ops)
        register = REGISTERS.get(ops[1][1:], (None, 0)) if ops[1].startswith("%") else (None, 0)
        whole = register[0] if register[1] >= 32 and left == self.registers[register[0]] else None
        if name.startswith("test"):
            same = ops[0] == ops[1]
            self.flags = Flags(left if same else bit_and(left, right), ZERO,
                               whole if same else None)
        else:
            self.flags = Flags(left, right, whole)

    @staticmethod
    def width(name, ops):
        for operand in reversed(ops):
            if operand.startswith("%") and operand[1:] in REGISTERS:
                return abs(REGISTERS[operand[1:]][1])
        return SUFFIX.get(name[-1], 64)

    def run_data(self, name, ops):
        base = name if name in WHOLE or name.startswith(("mov", "set", "cmov")) else name[:-1]
        bits = self.width(name, ops[-1:] if base in SHIFTS else ops)
        if base in BINARY and len(ops) == 2:
            self.run_binary(base, ops, bits)
        elif base in UNARY:
            self.write(ops[1], UNARY[base](self.read(ops[0], bits), ops[0] == ops[1]), bits)
            self.flags = None
        elif base in ("mov", "movl", "movq", "movb", "movw", "movabs"):
            self.run_move(name, ops, bits)
        elif base == "movslq":
            self.write(ops[1], sign_extend(self.read(ops[0], 32), 32))
        elif base in ("movzbl", "movzwl", "movzbq", "movzwq"):
            self.write(ops[1], self.read(ops[0], SUFFIX[base[4]]), SUFFIX[base[5]])
        elif base == "lea":
            self.write(ops[1], truncate(self.address(ops[0]), bits), bits)
        elif base.startswith("cmov"):
            self.write(ops[1], either(self.read(ops[0], bits), self.read(ops[1], bits)), bits)
        elif base.startswith("set"):
            self.write(ops[0], ANY, 8)
        elif (base in OPAQUE or base in BINARY) and ops:
            self.run_opaque(ops, bits)
        elif base in ("cmpxchg", "xadd"):
            self.run_opaque(ops, bits)
            self.write("%rax", self.doubt("%rax", *ops))
            self.write(ops[0], self.doubt(*ops))
        elif base == "bt":
            self.flags = None
        else:
            self.forget_all()

    def run_move(self, name, ops, bits):
        if name[-1] in SUFFIX and not any(o[1:] in REGISTERS for o in ops):
            bits = SUFFIX[name[-1]]
        self.write(ops[1], self.read(ops[0], bits), bits)

    def run_binary(self, name, ops, bits):
        if name in ("xor", "sub") and ops[0] == ops[1] and bits >= 32:
            result = ZERO
        else:
            right = self.read(ops[0], 8 if name in SHIFTS else bits)
            result = truncate(BINARY[name](self.read(ops[1], bits), right), bits)
        self.write(ops[1], result, bits)
        register = REGISTERS.get(ops[1][1:], (None, 0))
        # a shift by nothing leaves the flags as they were
        self.flags = None if name in SHIFTS else \
            Flags(result, ZERO, register[0] if register[1] >= 32 else None)

    def run_opaque(self, ops, bits):
        self.write(ops[-1], self.doubt(*ops), bits)
        self.flags = None

    def doubt(self, *ops):
        """A value made from these in a way that is not followed."""
        values = [self.read(o) for o in ops if o.startswith("%") and ":" not in o] + \
                 [self.load(self.address(o), 1) for o in ops if not o.startswith(("%", "$"))]
        return ANY if is_number(*values) else UNKNOWN

    # -- branches --

    def branch(self, insn, taken):
        """The state when conditional @insn is taken, or is not; None when it cannot be."""
        condition = insn.name[1:]
        condition = {"z": "e", "nz": "ne", "c": "b", "nc": "ae"}.get(condition, condition)
        if condition not in OPPOSITE or not self.flags:
            return self
        condition = condition if taken else OPPOSITE[condition]
        left, right, register = self.flags
        if not is_number(left, right):
            return self
        if right == ZERO and condition not in ("e", "ne"):
            return self     # of a test or of arithmetic: what the carry says is not kept
        if not POSSIBLE[condition](left, right):
            return None
        return self._refined(condition, left, right, register)

    def _refined(self, condition, left, right, register):
        if not register or not is_constant(right):
            return self
        low, high, at = left.low, left.high, right.low
        if condition == "e":
            low = high = at
        elif condition == "ne":
            low, high = low + (low == at), high - (high == at)
        elif condition in ("b", "be"):
            high = min(high, at - (condition == "b"))
        else:
            low = max(low, at + (condition == "a"))
        new = self.copy()
        new.registers[register] = within(left, low, high)
        new.refine(left.tag, lambda v: within(v, low, high))
        return new
