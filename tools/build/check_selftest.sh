#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Shows that every gate of check.sh can fail: seeds one fault for each in a copy of
# the tree, and wants the gate to name it. Prints KTAP.
#
# Room: build.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
. "$here/ktap.sh"

copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT

fresh_copy() {
	find "$copy" -mindepth 1 -delete
	tar -C "$tlsf_root" --exclude=./build --exclude=./.git -c . | tar -C "$copy" -x
}

# "seed GATE WANTED FILE": standard input is appended to FILE in the copy.
seed() {
	fresh_copy
	cat >>"$copy/$3"
	expect "$1" failure "$2" "$copy/tools/build/check.sh" "$1"
}

seed gcc seeded_unused tlsf_mod.c <<<'static int seeded_unused(void) { return 0; }'
seed gcc frame tlsf_mod.c <<<'int tlsf_seeded(void); int tlsf_seeded(void)
{ volatile char big[600]; big[0] = 1; return big[0]; }'
seed gcc seeded_unused tools/bench/module/tally.c <<<'static int seeded_unused(void) { return 0; }'
seed sparse seeded tlsf_mod.c <<<'int tlsf_seeded;'
seed clang seeded tlsf_mod.c <<<'int tlsf_seeded(int a); int tlsf_seeded(int seeded)
{ return seeded & 1 == 1 || !seeded == 2; }'
seed checkpatch 'trailing whitespace' tlsf_core.h <<<'/* seeded */ '
seed kernel_doc seeded tlsf_pool.c <<<'/**
 * seeded() - a parameter that is not there
 * @nothing: no such thing
 */
int seeded(void);'
seed layering 'tlsf_dev.c may not include tlsf_core.h' tlsf_dev.c <<<'#include "tlsf_core.h"'
seed layering 'may not include linux/slab.h' tlsf_core.c <<<'#include <linux/slab.h>'
seed version_checks tlsf_pool.c tlsf_pool.c <<<'#if LINUX_VERSION_CODE < 1
#endif'
seed namespace seeded tlsf_core.c <<<'int seeded(void); int seeded(void) { return 0; }'
seed uapi seeded include/uapi/linux/tlsf.h <<<'struct seeded { u32 x; };'
seed readme seeded README.md <<'END'
```c
	seeded();
```
END
seed readme 'make seeded' README.md <<<'make seeded'
seed shellcheck seeded tools/build/lib.sh <<'END'
seeded() { echo $1; }
END
seed codespell '==>' tlsf_core.h <<<"/* rec""ieve */"
seed version 'the module is unreleased, not 0.9' Kbuild <<'END'
CFLAGS_tlsf_main.o := -DTLSF_VERSION=unreleased
END
seed version 'does not begin with 1.7' dkms.conf <<<'PACKAGE_VERSION="1.7"'
seed maintainers 'tlsf_seeded.c is in 0 sections' tlsf_seeded.c <<<'int seeded;'
seed maintainers 'no file of wcet is seeded.c' MAINTAINERS <<<$'F:\tseeded.c'
seed maintainers 'Makefile is in 2 sections' MAINTAINERS <<<$'F:\tMakefile'
seed rooms 'wcet seeded.c' MAINTAINERS <<<$'F:\tseeded.c'
seed rooms 'docs: no suite seeded' CONTRIBUTING.md <<<"| docs | \`docs/\` | seeded |"
seed rooms 'tools/cli/seeded.c: no Room' tools/cli/seeded.c <<<'int seeded;'
seed rooms 'Room: core, but it is in cli' tools/cli/seeded.c <<<'/* Room: core. */'
seed rooms 'Room: [?], but it is in cli' tools/cli/seeded.c <<<'/* Room: cli (user space). */'
seed house 'tlsf_mod.c has [0-9]* lines' tlsf_mod.c < <(yes '/* seeded */' | head -n 900)
seed house 'tlsf_dev.c:.*tlsf_seeded.c' tlsf_dev.c <<<'# include "tlsf_seeded.c"'
seed house 'tlsf_check.c:.*if SEEDED' tlsf_check.c <<'END'
#if SEEDED
#elif SEEDED > 1
#endif
#ifndef SEEDED
#endif
#ifdef SEEDED
#endif
END
seed clang_format seeded .clang-format <<<'# seeded'
seed mandoc 'seeded' docs/man/tlsf.1 <<<'.Xseeded'
finish
