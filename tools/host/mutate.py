#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Mutation check: how many single-token faults in the core do the fast tests kill?

Room: host. Each mutant is tlsf_ops.h or tlsf_core.c with one token changed or one
statement dropped. It is built plainly at -O1 and run against the random test and the unit
tests, each with a time limit. A mutant is killed when one of them fails, crashes or does
not end. What survives is either equivalent to the original or shows a missing test:
build/mutation.csv lists every mutant and its fate, MUTATION.md the survivors and why they
are.

Lines that no test can see are left alone: comments, preprocessor lines, static
assertions, branch hints, and the words of tlsf_core_strstatus().

With --named, the faults of NAMED instead: mistakes that one makes, each of which the random
test alone must catch.
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
SOURCES = ("tlsf_ops.h", "tlsf_core.c")
COMMON = ("ktap", "heap")
# most likely to kill first; unit_map does not run the core
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
    ("unit_ops", []),
    ("unit_flips", []),
    ("random_test", ["--ops", "40000", "--seed", "7"]),
    ("fuzz_replay", []),
)
ALSO = {"random_test": ("shadow",), "fuzz_replay": ("shadow", "fuzz")}
TIME_LIMIT = 20
KILLED_AT_LEAST = 95  # percent
CFLAGS = ["-std=gnu11", "-O1", "-w"]

# (name, function, what stands there once, what stands there instead)
NAMED = (
    ("bitmap_bit_is_not_cleared", "tlsf_list_emptied", "c->bitmap[w] = word;", ";"),
    ("summary_bit_is_not_cleared", "tlsf_list_emptied", "c->summary &= ~(1UL << w);", ";"),
    ("popped_list_keeps_its_bit", "tlsf_block_pop", "next == TLSF_NIL ? less : word", "word"),
    ("popped_word_keeps_its_bit", "tlsf_block_pop", "c->summary &= ~(1UL << w);", ";"),
    ("prev_free_flag_stays_after_exact_fit", "tlsf_op_memalign",
     "tlsf_block_at(c, end)->header &= ~TLSF_PREV_FREE;", ";"),
    ("shrink_does_not_tell_the_block_above", "tlsf_op_resize",
     "tlsf_block_at(c, end)->header |= TLSF_PREV_FREE;", ";"),
    ("good_fit_does_not_round_up", "tlsf_list_find", "f->list++;", ";"),
    ("own_list_is_not_looked_at", "tlsf_list_find", "tlsf_list_of(need)", "tlsf_list_of(need) + 1"),
    ("rest_is_a_granule_short", "tlsf_op_memalign", "b + need, end - b - need",
     "b + need, end - b - need - 1"),
    ("footer_is_stale", "tlsf_block_insert",
     "*tlsf_block_footer_below(tlsf_block_at(c, b + n)) = b;", ";"),
    ("merged_block_stays_in_its_list", "tlsf_op_free", "!tlsf_block_unlink(c, next)", "0"),
    ("merge_below_is_forgotten", "tlsf_op_free", "start = u.b;", "start = u.b; u.prev_free = 0;"),
    ("next_keeps_its_link_back", "tlsf_block_unlink", "tlsf_block_at(c, next)->prev = prev;", ";"),
    ("grow_backward_forgets_its_gap", "tlsf_op_grow_backward", "if (gap &&", "if (0 &&"),
    ("resize_counts_nothing", "tlsf_op_resize", "tlsf_free_adjust(c, ", "(void)("),
    ("double_free_is_taken", "tlsf_header_good", " ^ TLSF_USED)", " & ~TLSF_USED)"),
    ("absorbed_block_keeps_its_header", "tlsf_op_free",
     "tlsf_block_of(ptr)->header ^= TLSF_USED;", ";"),
)

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
    "TLSF_GRANULES_MIN": ["(TLSF_GRANULES_MIN - 1)", "(TLSF_GRANULES_MIN + 1)"],
    "TLSF_NIL": ["0"],
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

Mutant = collections.namedtuple("Mutant", "source line kind before after start end")


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


def mutants(source, text):
    code = masked(text)
    outside = list(declarations(code))
    skip = set(skipped_lines(text))

    def mutant(kind, start, end, after):
        line = text.count("\n", 0, start) + 1
        dead = line in skip or any(a <= start < b for a, b in outside)
        return None if dead else Mutant(source, line, kind, text[start:end], after, start, end)

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


def body(text, function):
    """Where the body of the function begins and ends; nowhere when it is not in the text."""
    found = re.search(rf"\b{function}\([^;{{}}]*\)\n({{\n.*?^}})", text, re.S | re.M)
    return found.span(1) if found else (0, 0)


def named_mutants(sources):
    """The faults of NAMED; one that is not there once has been overtaken by the core."""
    for name, function, before, after in NAMED:
        found = [Mutant(source, text.count("\n", 0, at.start()) + 1, name, before, after, *at.span())
                 for source, text in sources.items()
                 for at in re.compile(re.escape(before)).finditer(text, *body(text, function))]
        if len(found) != 1:
            sys.exit(f"{name}: {len(found)} times in {function}(): {before}; adapt it to the core")
        yield found[0]


class Bench:
    """Test objects built once; mutants linked with them."""

    def __init__(self, work, cc, sources):
        self.work, self.cc, self.sources = work, cc, sources
        # as they are now: the tree may change while the mutants are judged
        self.files = {path.relative_to(ROOT): path.read_text() for path in
                      [*ROOT.glob("tlsf_*.[ch]"), HERE / "ops.c", HERE / "ops.h"]}

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

    def tree(self, directory, source, text):
        """The core and ops.c as they are, but for that source, in a directory."""
        here = directory / HERE.relative_to(ROOT)
        here.mkdir(parents=True)
        for path, original in self.files.items():
            (directory / path).write_text(text if path.name == source else original)
        return {"tlsf_core": directory / "tlsf_core.c", "ops": here / "ops.c"}

    def link(self, test, directory, program):
        objects = [test, *COMMON, "tlsf_check", *ALSO.get(test, ())]
        self.must(subprocess.run(
            [self.cc, "-o", str(program), str(directory / "tlsf_core.o"), str(directory / "ops.o"),
             *(str(self.work / f"{name}.o") for name in objects)],
            capture_output=True, check=False, text=True))

    def fate(self, directory, source, text, tests=TESTS):
        """(killed by, how) of a core where @source has this text, or ("", "survived")."""
        for name, path in self.tree(directory, source, text).items():
            if self.compile(path, directory / f"{name}.o").returncode:
                return "compiler", "refused"
        for test, arguments in tests:
            program = directory / test
            if not program.exists():
                self.link(test, directory, program)
            how = self.run(program, arguments)
            if how:
                return test, how
        return "", "survived"

    @staticmethod
    def run(program, arguments):
        """How it failed: in its own words if it has any; nothing when it passed."""
        try:
            done = subprocess.run([str(program), *arguments], timeout=TIME_LIMIT, text=True,
                                  errors="replace", capture_output=True, check=False)
        except subprocess.TimeoutExpired:
            return "did not end"
        if done.returncode < 0:
            return f"signal {-done.returncode}"
        said = re.search(r"^# (?:\S*/)?(\w+\.[ch]:\d+: .*)", done.stdout, re.M)
        return (said.group(1)[:80] if said else "failed") if done.returncode else ""


def judge(bench, mutant, tests=TESTS):
    text = bench.sources[mutant.source]
    with tempfile.TemporaryDirectory(dir=bench.work) as name:
        mutated = text[:mutant.start] + mutant.after + text[mutant.end:]
        return mutant, bench.fate(pathlib.Path(name), mutant.source, mutated, tests)


def one_line(text):
    return " ".join(text.split())


def report(path, fates):
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="") as out:
        table = csv.writer(out)
        table.writerow(["source", "line", "kind", "before", "after", "fate", "by"])
        for mutant, (killer, how) in fates:
            table.writerow([mutant.source, mutant.line, mutant.kind, one_line(mutant.before),
                            one_line(mutant.after), how, killer])


def summarise(fates):
    judged = [(m, f) for m, f in fates if f[0] != "compiler"]
    alive = [m for m, f in judged if not f[0]]
    for mutant in alive:
        print(f"survived  {mutant.source}:{mutant.line}: {mutant.kind}: "
              f"{one_line(mutant.before)} -> {one_line(mutant.after) or '(nothing)'}")
    share = 100 * (len(judged) - len(alive)) / max(1, len(judged))
    print(f"{len(judged)} mutants, {len(judged) - len(alive)} killed ({share:.1f} %), "
          f"{len(fates) - len(judged)} refused by the compiler")
    return share


def summarise_named(fates):
    for mutant, (killer, how) in fates:
        print(f"{'caught' if killer else 'MISSED'}  {mutant.kind:<40} {how}")
    missed = [m for m, (killer, _) in fates if killer in ("", "compiler")]
    print(f"{len(fates)} faults, {len(missed)} missed")
    return not missed


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--named", action="store_true", help="the faults of NAMED")
    parser.add_argument("--sample", type=int, help="judge so many, drawn at random")
    parser.add_argument("--seed", type=int, default=1, help="of the sample")
    parser.add_argument("--source", choices=SOURCES, help="judge those of this file alone")
    parser.add_argument("--lines", help="and of its lines FIRST-LAST alone")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--output", type=pathlib.Path, default=ROOT / "build/mutation.csv")
    return parser.parse_args()


def chosen(args, sources):
    all_mutants = [m for source, text in sources.items() for m in mutants(source, text)
                   if args.source in (None, source)]
    if args.lines:
        first, last = (int(n) for n in args.lines.split("-"))
        all_mutants = [m for m in all_mutants if first <= m.line <= last]
    if args.sample and args.sample < len(all_mutants):
        all_mutants = sorted(random.Random(args.seed).sample(all_mutants, args.sample))
    return all_mutants


def main():
    args = arguments()
    sources = {name: (ROOT / name).read_text() for name in SOURCES}
    todo = list(named_mutants(sources)) if args.named else chosen(args, sources)
    tests = (("random_test", ["--ops", "150000"]),) if args.named else TESTS
    work = pathlib.Path(tempfile.mkdtemp())
    try:
        bench = Bench(work, os.environ.get("CC", "gcc"), sources)
        bench.prepare()
        killer, how = bench.fate(work / "original", SOURCES[0], sources[SOURCES[0]])
        if killer:
            sys.exit(f"the core without any fault: {killer} {how}; mend that first")
        with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
            fates = list(pool.map(lambda m: judge(bench, m, tests), todo))
    finally:
        shutil.rmtree(work)
    if args.named:
        sys.exit(not summarise_named(fates))
    report(args.output, fates)
    if summarise(fates) < KILLED_AT_LEAST:
        sys.exit(f"fewer than {KILLED_AT_LEAST} % killed: see MUTATION.md for those that "
                 "cannot be, and write tests for the others")


if __name__ == "__main__":
    main()
