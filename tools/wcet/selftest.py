#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Tests the tool on small assembled snippets. Prints KTAP.

Room: wcet. Each snippet is a function f; a wanted figure is counted by hand, a wanted
word is in the complaint that the tool must make.
"""
import contextlib
import io
import os
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True      # nothing is built outside build/

import ceilings
from elf import Elf
from longest import Longest
from program import Fault, Module, Program
from measured import PAIR, Measured
from wcet import Source

COLD = {"cold", "report_*"}
ASIDE = {"aside"}

# key at 8 bytes, code and target as offsets from where they stand
LABEL = """
    .pushsection __jump_table,"aw"
    .long 1b - ., 2b - .
    .quad key + {flags} - .
    .popsection
"""
ALTERNATIVE = """
    .pushsection .altinstructions,"a"
    .long 1b - ., 3f - .
    .word {feature}
    .byte 2b - 1b, 4f - 3f
    .popsection
    .pushsection .altinstr_replacement,"ax"
3:  {replacement}
4:
    .popsection
"""


def label(flags=0):
    return LABEL.format(flags=flags)


def alternative(replacement, feature=0):
    return ALTERNATIVE.format(replacement=replacement, feature=feature)


# name, body of f, instructions or a word of the complaint
CASES = [
    ("a straight line", "nop; nop; ret", 3),
    ("the longer side of a branch counts", "test %edi,%edi; je 1f; nop; nop; nop; 1: ret", 6),
    ("an instruction more on the long side raises it",
     "test %edi,%edi; je 1f; nop; nop; nop; nop; 1: ret", 7),
    ("an instruction more on the short side does not",
     "test %edi,%edi; je 2f; nop; nop; nop; jmp 1f; 2: nop; 1: ret", 7),
    ("code that jumps back without a loop", "jmp 2f; 1: ret; 2: nop; jmp 1b", 4),
    ("calls are added, each time", "call g; call g; ret; g: nop; ret", 7),
    ("a jump to another function is part of the path", "jmp g; g: nop; ret", 3),
    ("the ftrace entry is one instruction", "call __fentry__; ret", 2),
    ("the return thunk is a return", "nop; jmp __x86_return_thunk", 2),
    ("ud2 ends a path", "test %edi,%edi; je 1f; ret; 1: nop; nop; ud2", 3),
    ("a cold exit ends a path", "test %edi,%edi; je 1f; ret; 1: nop; nop; call cold; ret", 3),
    ("a cold exit by its part's name",
     "test %edi,%edi; je cold.part.0; ret; cold.part.0: nop; nop; ret", 3),
    ("a cold exit by how its name begins",
     "test %edi,%edi; je 1f; ret; 1: call report_a; nop; nop; ret", 3),
    ("an aside is one instruction", "nop; call aside; nop; ret", 4),
    ("an aside at the end is the return", "nop; jmp aside", 2),
    ("an aside on a condition", "test %edi,%edi; je 1f; call aside; 1: ret", 4),
    ("rep with a constant count", "mov $6,%ecx; rep stosq; ret", 9),
    ("rep with a count that is not known", "rep stosq; ret", "repeats"),
    ("rep with a count from elsewhere", "mov $6,%ecx; 1: rep stosq; test %eax,%eax; je 1b; ret",
     "repeats"),
    ("a loop", "1: nop; dec %edi; jne 1b; ret", "loops back"),
    ("a loop in a callee", "call g; ret; g: 1: dec %edi; jne 1b; ret", "loops back"),
    ("a loop that is never left", "1: jmp 1b", "loops back"),
    ("the loop instruction", "1: loop 1b; ret", "loops"),
    ("recursion", "test %edi,%edi; je 1f; call f; 1: ret", "loops back"),
    ("mutual recursion", "call g; ret; g: call f; ret", "loops back"),
    ("an indirect call", "call *%rax; ret", "indirect call"),
    ("an indirect call through memory", "call *8(%rdi); ret", "indirect call"),
    ("an indirect jump", "jmp *%rax", "indirect jmp"),
    ("a retpoline", "call __x86_indirect_thunk_rax; ret", "retpoline"),
    ("an external function that nobody bounded", "call kmalloc; ret", "kmalloc"),
    ("static branch, off", "1: .byte 0x66,0x90; ret; 2: nop; nop; ret" + label(), 2),
    ("static branch, off by default, jumps", "1: jmp 2f; ret; 2: nop; nop; ret" + label(1), 4),
    ("a longer alternative",
     "1: mov %eax,%eax; nop; nop; 2: ret" + alternative("nop; nop; nop; nop"), 5),
    ("a shorter alternative, padded",
     "1: .byte 0x0f,0x1f,0x40,0x00; 2: ret" + alternative("nop"), 3),
    ("the original, if that is longer", "1: nop; nop; nop; nop; 2: ret" + alternative("cli"), 5),
    ("a paravirtual call has its native alternative",
     "1: call *pv_ops(%rip); 2: ret" + alternative("pushf; pop %rax", 0x8110), 4),
    ("a paravirtual call without one", "1: call *pv_ops(%rip); 2: ret", "indirect call"),
    ("a paravirtual call that has its native alternative among others",
     "1: call *pv_ops(%rip); 2: ret" + alternative("call g") + alternative("cli", 0x8110) +
     "; g: ret", 3),
    ("a feature test that jumps is the longer way",
     "1: jmp 9f; 2: ret; 6: nop; nop; ret; 9: ud2" + alternative("jmp 6b") + alternative(""), 4),
    ("a feature test that does not jump is the longer way",
     "1: jmp 9f; 2: nop; nop; ret; 6: ret; 9: ud2" + alternative("jmp 6b") + alternative(""), 4),
    ("a feature that is there for certain",
     "1: jmp 9f; 2: ret; 6: nop; nop; ret; 9: ud2" + alternative("jmp 6b") + alternative("", 4), 2),
    ("a jump with other alternatives",
     "1: jmp 9f; 2: ret; 9: ret" + alternative("nop"), "alternatives"),
    ("an alternative that leads elsewhere",
     "1: call *pv_ops(%rip); 2: ret" + alternative("call g", 0x8110) + "; g: ret",
     "alternative"),
]

# name, body, longest path without the proof, and with it
PROOFS = [
    ("0 is not taken for something else",
     "xor %eax,%eax; test %eax,%eax; jne 1f; ret; 1: nop; nop; ret", 6, 4),
    ("what a register may hold is not excluded",
     "mov (%rdi),%eax; test %eax,%eax; jne 1f; ret; 1: nop; nop; ret", 6, 6),
    ("a result is followed out of a call",
     "call g; test %eax,%eax; jne 1f; ret; 1: nop; ret; g: xor %eax,%eax; ret", 7, 6),
    ("and through the stack",
     "push %rax; movl $0,(%rsp); mov (%rsp),%eax; pop %rdx; test %eax,%eax; jne 1f; ret;"
     "1: nop; ret", 8, 7),
    ("but not past a store that may have changed it",
     "push %rax; movl $0,(%rsp); mov %rsp,(%rdi); mov (%rdi),%rdx; movl $1,(%rdx);"
     "mov (%rsp),%eax; pop %rdx; test %eax,%eax; jne 1f; ret; 1: nop; ret", 11, 11),
    ("two looks at one flag agree",
     "test %rdi,%rdi; je 1f; test %rdi,%rdi; je 2f; ret; 1: ret; 2: nop; nop; ret", 7, 5),
    ("an aside changes nothing",
     "xor %eax,%eax; call aside; test %eax,%eax; jne 1f; ret; 1: nop; nop; ret", 7, 5),
    ("unless it changed in between",
     "test %rdi,%rdi; je 1f; mov (%rsi),%rdi; test %rdi,%rdi; je 2f; ret; 1: ret;"
     "2: nop; nop; ret",
     8, 8),
    ("an address that was used is not 0",
     "mov (%rdi),%rdi; mov (%rdi),%rax; add $8,%rdi; test %rdi,%rdi; je 1f; ret; 1: nop; ret",
     7, 6),
    ("one that was not used may be",
     "mov (%rdi),%rdi; lea (%rdi),%rax; add $8,%rdi; test %rdi,%rdi; je 1f; ret; 1: nop; ret",
     7, 7),
    ("nor is a copy of it",
     "mov (%rdi),%rsi; mov %rsi,%rdx; mov (%rsi),%rax; test %rdx,%rdx; je 1f; ret; 1: nop; ret",
     7, 6),
    ("what takes a copy's place is another value",
     "mov (%rdi),%rsi; mov %rsi,%rdx; mov (%rdi),%rdx; mov (%rsi),%rax; test %rdx,%rdx; je 1f;"
     "ret; 1: nop; ret", 8, 8),
    ("nor what the same instruction made before",
     "call g; mov %rax,%rbx; call g; mov (%rax),%rcx; test %rbx,%rbx; je 1f; ret; 1: nop; ret;"
     "g: mov (%rdi),%rax; ret", 12, 12),
    ("a bit scan of what may be 0",
     "mov (%rdi),%rax; tzcnt %rax,%rax; test %rax,%rax; je 1f; ret; 1: nop; ret", 6, 6),
    ("a shift and a bit scan",
     "mov $-2,%rax; shl %cl,%rax; and (%rdi),%rax; je 2f; tzcnt %rax,%rax; test %rax,%rax; je 1f;"
     "2: ret; 1: nop; nop; ret", 10, 8),
    ("an instruction that is not known forgets all",
     "xor %eax,%eax; cpuid; test %eax,%eax; jne 1f; ret; 1: nop; nop; ret", 7, 7),
]


class Tap:
    """Numbers results and prints them."""

    def __init__(self):
        self.count = self.failed = 0

    def result(self, good, name, *why):
        self.count += 1
        self.failed += not good
        print(f"{'ok' if good else 'not ok'} {self.count} - {name}")
        for line in () if good else why:
            print(f"# {line}")


class Workshop:
    """Assembles snippets in a directory of its own."""

    def __init__(self, directory):
        self.directory = directory

    def build(self, text, suffix, *flags):
        source, out = (os.path.join(self.directory, "snippet" + s) for s in (suffix, ".o"))
        with open(source, "w", encoding="ascii") as f:
            f.write(text)
        subprocess.run(["gcc", "-c", *flags, "-o", out, source], check=True)
        with open(out, "rb") as f:
            return Module(Elf(f.read(), out))

    def assemble(self, body):
        types = "".join(f".type {n}, @function\n" for n in ("f", "g", "cold", "cold.part.0"))
        return self.build(f".data\nkey: .quad 0\n.size key, 8\n.text\n{types}f: {body}\n"
                          ".section .note.GNU-stack\n", ".S")


def figure(module, function="f", on=(), refine=False):
    """The bound, or what the tool complains about."""
    program = Program(module, on=on, cold=COLD, aside=ASIDE, features=[4])
    try:
        longest = Longest(program)
        start = program.symbol(function)
        return longest.feasible(start)[0] if refine else longest.bound(start)
    except Fault as fault:
        return Source(module).describe(fault)


def as_wanted(got, want):
    return got == want if isinstance(want, int) else isinstance(got, str) and want in got


def test_cases(tap, shop):
    for name, body, want in CASES:
        got = figure(shop.assemble(body))
        tap.result(as_wanted(got, want), name, f"wanted {want}, got {got}")


def test_proofs(tap, shop):
    for name, body, lazy, tight in PROOFS:
        module = shop.assemble(body)
        got = figure(module), figure(module, refine=True)
        tap.result(got == (lazy, tight), f"proof: {name}", f"wanted {(lazy, tight)}, got {got}")


def test_static_branch_on(tap, shop):
    off = shop.assemble("1: .byte 0x66,0x90; ret; 2: nop; nop; ret" + label())
    on = shop.assemble("1: jmp 2f; ret; 2: nop; nop; ret" + label(1))
    tap.result(figure(off, on=["key"]) == 4, "static branch, on")
    tap.result(figure(on, on=["key"]) == 2, "static branch, on, falls through")


def test_places(tap, shop):
    module = shop.build("int f(volatile int *p)\n{\n\twhile (*p)\n\t\t;\n\treturn 0;\n}\n",
                        ".c", "-g", "-O2")
    got = figure(module)
    tap.result(isinstance(got, str) and "snippet.c:3" in got and "f+0x" in got,
               "a loop is named by line and function", got)
    got = figure(shop.assemble("nop; 1: jmp 1b"))
    tap.result(isinstance(got, str) and got.count("f+0x1") == 2,
               "without debug information by function and offset", got)


def test_met(tap, shop):
    module = shop.assemble("test %edi,%edi; je 1f; ret; 1: call cold; ret")
    program = Program(module, cold=COLD)
    Longest(program).bound(program.symbol("f"))
    tap.result(program.met == {"cold"}, "the cold exits that were met are known", program.met)


def test_returns(tap, shop):
    module = shop.assemble("call g; jmp __x86_return_thunk; g: ret")
    program = Program(module, returns=3)
    tap.result(Longest(program).bound(program.symbol("f")) == 7, "a return can be told to be more")


LOG = """[ 1.0] wcet-max a (hold) 7\r
wcet-max a (hold) 9
wcet-max b 3
wcet-max c
wcet-max tlsf_kmalloc 5
wcet-max tlsf_kfree 4
wcet-phase random b 2\r
wcet-flat 64K 10 b 3
wcet-flat 1G 10 b {flat}
"""


def measured(shop, flat=3):
    path = os.path.join(shop.directory, "log")
    with open(path, "w", encoding="ascii") as f:
        f.write(LOG.format(flat=flat))
    return Measured(path)


def silently(function, *args):
    with contextlib.redirect_stderr(io.StringIO()) as said, contextlib.redirect_stdout(said):
        return function(*args), said.getvalue()


def test_measured(tap, shop):
    found = measured(shop)
    tap.result(found.maxima["a (hold)"] == 9 and found.maxima["b"] == 3 and
               "c" not in found.maxima, "the largest measurement is taken", found.maxima)
    tap.result(found.maxima[PAIR] == 9, "a pair is measured as its two parts", found.maxima)
    tap.result(found.phases == {"b": {"random": 2}}, "phases are told apart", found.phases)
    bad, said = silently(found.exceeded, [("b", 2), ("a (hold)", 9)])
    tap.result(bad == ["b"] and "bound is wrong" in said, "a bound that is too low is seen", said)
    tap.result(not found.moved(), "what is flat is flat")
    bad, said = silently(measured(shop, 4).moved)
    tap.result(len(bad) == 1 and "pool of 1G with 10 live" in said, "what is not is named", said)


def test_ceilings(tap, shop):
    path = os.path.join(shop.directory, "ceilings.csv")
    with open(path, "w", encoding="ascii") as f:
        f.write("kernel,path,ceiling\n6.1-amd64,a,5\n7.3-amd64,a,4\n")
    bad, said = silently(ceilings.exceeded, path, "6.1-amd64", [("a", 6)])
    tap.result(bad == ["a"] and "a may take 6" in said, "a bound above its ceiling is named", said)
    bad, said = silently(ceilings.exceeded, path, "6.1-amd64", [("a", 3)])
    tap.result(not bad and "not up to date" in said, "one below its ceiling is no fault", said)
    ceilings.record(path, "6.1-amd64", [("a", 7), ("b", 1)])
    got = ceilings.read(path)
    tap.result(got == [("6.1-amd64", "a", 7), ("6.1-amd64", "b", 1), ("7.3-amd64", "a", 4)],
               "recorded are the ceilings of one kernel's line", got)


def test_lines(tap, _shop):
    for release, line in (("6.1.0-56-amd64", "6.1-amd64"), ("7.3.4+deb13-amd64", "7.3-amd64"),
                          ("6.1.0-56-rt-amd64", "6.1-rt-amd64"),
                          ("6.12.9-custom", "6.12-custom"), ("", "")):
        got = ceilings.kernel_line(release)
        tap.result(got == line, f"{release or 'no release'} is of line {line or 'none'}", got)


def main():
    tap = Tap()
    print("KTAP version 1")
    with tempfile.TemporaryDirectory() as directory:
        for test in (test_cases, test_proofs, test_static_branch_on, test_places, test_met,
                     test_returns, test_measured, test_ceilings, test_lines):
            test(tap, Workshop(directory))
    print(f"1..{tap.count}")
    return tap.failed > 0


if __name__ == "__main__":
    sys.exit(main())
