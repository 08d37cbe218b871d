#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Mutation check: how many single-token faults in tlsf_core.c do the fast tests kill?

Room: host. Each mutant is tlsf_core.c with one token changed or one statement
dropped. It is built plainly at -O1, with the counting of steps, and run against the
random test and the unit tests, each with a time limit. A mutant is killed when one of
them fails, crashes or does not end. What survives is either equivalent to the original
or shows a missing test: build/mutation.csv lists every mutant and its fate, MUTATION.md
the survivors and why they are.

Lines that no test can see are left alone: comments, preprocessor lines, static
assertions, branch hints, and the words of tlsf_core_strstatus().
"""
import argparse
import collections
import concurrent.futures
import csv
import os
import pathlib
import random
import re
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
COMMON = ("ktap", "heap")
# most likely to kill first; unit_map does not run tlsf_core.c
TESTS = (
    ("random_test", ["--ops", "4000"]),
    ("unit_alloc", []),
    ("unit_resize", []),
    ("unit_status", []),
    ("unit_region", []),
    ("unit_defects", []),
    ("unit_damage", []),
    ("unit_stale", []),
    ("unit_border", []),
    ("unit_checker", []),
    ("unit_flips", []),
    ("random_test", ["--ops", "40000", "--seed", "7"]),
    ("fuzz_replay", []),
)
ALSO = {"random_test": ("shadow",), "fuzz_replay": ("shadow", "fuzz")}
TIME_LIMIT = 20
KILLED_AT_LEAST = 95  # percent
CFLAGS = ["-std=gnu11", "-O1", "-w", "-DTLSF_COUNT_STEPS", "-I", str(ROOT)]

TOKEN = re.compile(
    r"(?P<skip>/\*.*?\*/|//[^\n]*|\"(?:\\.|[^\"\\])*\"|^[ \t]*#(?:\\\n|[^\n])*)"
    r"|(?P<word>[A-Za-z_]\w*)|(?P<number>\b(?:0x[0-9a-fA-F]+|\d+)(?:[uUlL]*))"
    r"|(?P<op><<=|>>=|<=|>=|==|!=|&&|\|\||\+\+|--|\+=|-=|\*=|/=|&=|\|=|\^=|<<|>>|->|[-+*/%&|^~!<>=?:;,.(){}\[\]])",
    re.S | re.M,
)

OPERATORS = {
    "<": ["<=", ">="], "<=": ["<", ">"], ">": [">=", "<="], ">=": [">", "<"],
    "==": ["!="], "!=": ["=="], "&&": ["||"], "||": ["&&"],
    "+": ["-"], "-": ["+"], "*": ["/"], "/": ["*"], "%": ["/"],
    "&": ["|"], "|": ["&"], "<<": [">>"], ">>": ["<<"],
    "+=": ["-=", "="], "-=": ["+=", "="], "|=": ["&=", "="], "&=": ["|=", "="],
    "++": ["--"], "--": ["++"], "!": [""], "~": [""],
}
# a pointer's star and ampersand, and a sign, are no binary operators
BINARY_ONLY = {"*", "&", "-", "+"}
WORDS = {
    "TLSF_USED": ["TLSF_PREV_FREE"],
    "TLSF_PREV_FREE": ["TLSF_USED"],
    "TLSF_BLOCK_MIN": ["TLSF_BLOCK_HEADER", "(TLSF_BLOCK_MIN + TLSF_GRANULE)"],
    "BLOCK_MIN": ["(BLOCK_MIN - 1)", "(BLOCK_MIN + 1)"],
    "NIL": ["0"],
    "TLSF_BLOCK_HEADER": ["0", "(2 * TLSF_BLOCK_HEADER)"],
    "TLSF_GRANULE": ["(2 * TLSF_GRANULE)"],
    "TLSF_FLAGS": ["0"],
    "true": ["false"],
    "false": ["true"],
    "unlikely": ["!unlikely"],
    "likely": ["!likely"],
}
HINTS = {"likely", "unlikely"}
STATEMENT = re.compile(r"^\t+(?!return\b|if\b|else\b|break\b|const\b|struct\b|size_t\b|unsigned\b"
                       r"|uintptr_t\b|enum\b|bool\b|static\b)([A-Za-z_*(+-][^;{}]*;)$", re.M)
CONDITION = re.compile(r"\bif \(")

Mutant = collections.namedtuple("Mutant", "line kind before after start end")


def skipped_lines(text):
    """Line numbers of static assertions, status texts and user-space macros."""
    inside = False
    for number, line in enumerate(text.splitlines(), 1):
        inside = inside or line.startswith(("static_assert", "\tstatic const char *const text"))
        if inside:
            yield number
        if line.rstrip().endswith(";"):
            inside = False


def number_mutants(token):
    digits = token.rstrip("uUlL")
    value, suffix = int(digits, 0), token[len(digits):]
    yield f"{value + 1}{suffix}"
    if value:
        yield f"{value - 1}{suffix}"


def is_operand(token):
    """May a value end with this token? Then what follows is a binary operator."""
    return token is not None and (token.group("word") or token.group("number")
                                  or token.group() in (")", "]"))


def token_mutants(token, previous):
    text = token.group()
    if token.group("number"):
        yield from (("constant", after) for after in number_mutants(text))
    elif token.group("word"):
        yield from (("word", after) for after in WORDS.get(text, ()))
    elif text in BINARY_ONLY and not is_operand(previous):
        return
    else:
        yield from (("operator", after) for after in OPERATORS.get(text, ()))


def tokens(text):
    previous = None
    for token in TOKEN.finditer(text):
        if token.group("skip"):
            continue
        yield token, previous
        previous = token


def closing(text, start):
    depth = 0
    for at in range(start, len(text)):
        depth += {"(": 1, ")": -1}.get(text[at], 0)
        if not depth:
            return at
    raise ValueError("unbalanced parentheses")


def masked(text):
    """The text with comments, strings and preprocessor lines blanked, same offsets."""
    def blank(match):
        return re.sub(r"[^\n]", " ", match.group()) if match.group("skip") else match.group()
    return TOKEN.sub(blank, text)


def declarations(code):
    """Spans outside of functions, where a star is a pointer and nothing runs."""
    at = 0
    for match in re.finditer(r"^\{\n.*?^\}", code, re.S | re.M):
        yield at, match.start()
        at = match.end()
    yield at, len(code)


def mutants(text):
    code = masked(text)
    outside = list(declarations(code))
    skip = set(skipped_lines(text))

    def mutant(kind, start, end, after):
        line = text.count("\n", 0, start) + 1
        dead = line in skip or any(a <= start < b for a, b in outside)
        return None if dead else Mutant(line, kind, text[start:end], after, start, end)

    found = []
    for token, previous in tokens(text):
        for kind, after in token_mutants(token, previous):
            found.append(mutant(kind, token.start(), token.end(), after))
    for match in STATEMENT.finditer(code):
        found.append(mutant("dropped", match.start(1), match.end(1), ";"))
    for match in CONDITION.finditer(code):
        end = closing(code, match.end() - 1)
        for value in ("0", "1"):
            found.append(mutant("condition", match.end(), end, value))
    return sorted(m for m in found if m)


class Bench:
    """Test objects built once; mutants linked with them."""

    def __init__(self, work, cc):
        self.work, self.cc = work, cc

    def compile(self, source, output):
        return subprocess.run([self.cc, *CFLAGS, "-c", "-o", str(output), str(source)],
                              capture_output=True, check=False, text=True)

    def prepare(self):
        names = {name for name, _ in TESTS} | set(COMMON) | {"shadow", "fuzz"}
        for name in names:
            self.must(self.compile(HERE / f"{name}.c", self.work / f"{name}.o"))
        self.must(self.compile(ROOT / "tlsf_check.c", self.work / "tlsf_check.o"))

    @staticmethod
    def must(result):
        if result.returncode:
            sys.exit(result.stderr)

    def link(self, test, core_object, program):
        objects = [test, *COMMON, "tlsf_check", *ALSO.get(test, ())]
        self.must(subprocess.run(
            [self.cc, "-o", str(program), str(core_object),
             *(str(self.work / f"{name}.o") for name in objects)],
            capture_output=True, check=False, text=True))

    def fate(self, text, directory):
        """(killed by, how) of a core with this text, or ("", "survived")."""
        source, core_object = directory / "tlsf_core.c", directory / "tlsf_core.o"
        source.write_text(text)
        if self.compile(source, core_object).returncode:
            return "compiler", "refused"
        for test, arguments in TESTS:
            program = directory / test
            if not program.exists():
                self.link(test, core_object, program)
            how = self.run(program, arguments)
            if how:
                return test, how
        return "", "survived"

    @staticmethod
    def run(program, arguments):
        try:
            done = subprocess.run([str(program), *arguments], timeout=TIME_LIMIT,
                                  capture_output=True, check=False)
        except subprocess.TimeoutExpired:
            return "did not end"
        if done.returncode < 0:
            return f"signal {-done.returncode}"
        return "failed" if done.returncode else ""


def judge(bench, text, mutant):
    with tempfile.TemporaryDirectory(dir=bench.work) as name:
        mutated = text[:mutant.start] + mutant.after + text[mutant.end:]
        return mutant, bench.fate(mutated, pathlib.Path(name))


def one_line(text):
    return " ".join(text.split())


def report(path, fates):
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="") as out:
        table = csv.writer(out)
        table.writerow(["line", "kind", "before", "after", "fate", "by"])
        for mutant, (killer, how) in fates:
            table.writerow([mutant.line, mutant.kind, one_line(mutant.before),
                            one_line(mutant.after), how, killer])


def summarise(fates):
    judged = [(m, f) for m, f in fates if f[0] != "compiler"]
    alive = [m for m, f in judged if not f[0]]
    for mutant in alive:
        print(f"survived  tlsf_core.c:{mutant.line}: {mutant.kind}: "
              f"{one_line(mutant.before)} -> {one_line(mutant.after) or '(nothing)'}")
    share = 100 * (len(judged) - len(alive)) / max(1, len(judged))
    print(f"{len(judged)} mutants, {len(judged) - len(alive)} killed ({share:.1f} %), "
          f"{len(fates) - len(judged)} refused by the compiler")
    return share


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sample", type=int, help="judge so many, drawn at random")
    parser.add_argument("--seed", type=int, default=1, help="of the sample")
    parser.add_argument("--lines", help="judge those of lines FIRST-LAST alone")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--output", type=pathlib.Path, default=ROOT / "build/mutation.csv")
    return parser.parse_args()


def chosen(args, text):
    all_mutants = mutants(text)
    if args.lines:
        first, last = (int(n) for n in args.lines.split("-"))
        all_mutants = [m for m in all_mutants if first <= m.line <= last]
    if args.sample and args.sample < len(all_mutants):
        all_mutants = sorted(random.Random(args.seed).sample(all_mutants, args.sample))
    return all_mutants


def main():
    args = arguments()
    text = (ROOT / "tlsf_core.c").read_text()
    work = pathlib.Path(tempfile.mkdtemp())
    try:
        bench = Bench(work, os.environ.get("CC", "gcc"))
        bench.prepare()
        (work / "original").mkdir()
        killer, how = bench.fate(text, work / "original")
        if killer:
            sys.exit(f"the core without any fault: {killer} {how}; mend that first")
        with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
            fates = list(pool.map(lambda m: judge(bench, text, m), chosen(args, text)))
    finally:
        shutil.rmtree(work)
    report(args.output, fates)
    if summarise(fates) < KILLED_AT_LEAST:
        sys.exit(f"fewer than {KILLED_AT_LEAST} % killed: see MUTATION.md for those that "
                 "cannot be, and write tests for the others")


if __name__ == "__main__":
    main()
