#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# tlsf replay on the device: a whole trace, a cut one, one that does not fit.
#
# Room: vm. The recorded traces are the demo's.
# shellcheck source=tools/vm/tests/module.sh
. /bin/module.sh

trace=/tmp/small.trace

write_trace() {
	printf 'tlsf-trace 1\n# program: by hand\n'
	printf 'a 0 1024\na 1 69\na 2 512 64\nr 1 138\nf 0\na 0 4096\nr 2 70000\n'
	printf 'end 7\n'
}

untouched() {
	[ "$(figure allocs)" = 0 ] && [ "$(figure used_blocks)" = 0 ]
}

load
write_trace >$trace
expect "a small trace" 0 '7 operations' tlsf replay $trace
same "its allocations" "$(figure allocs)" "$(figure frees)"
holds "it allocated" [ "$(figure allocs)" -ge 4 ]
same "it left blocks" "$(figure used_blocks)" 0
holds "each operation a call of its own" tlsf replay --batch 1 $trace
holds "contents not verified" tlsf replay --no-verify $trace

tlsf reset
head -n 5 $trace >/tmp/cut.trace
expect "a cut trace" 2 'cut' tlsf replay /tmp/cut.trace
head -c 40 $trace >/tmp/cut.trace
expect "a trace cut within a line" 2 'cut' tlsf replay /tmp/cut.trace
printf 'tlsf-trace 1\nf 3\nend 1\n' >/tmp/wrong.trace
expect "a trace that frees what is not there" 2 ':2: ' tlsf replay /tmp/wrong.trace
expect "no trace at all" 2 'cannot read' tlsf replay /tmp/none.trace
holds "none of these touched the pool" untouched

printf 'tlsf-trace 1\na 0 9000000\na 1 9000000\nend 2\n' >/tmp/large.trace
expect "a trace larger than the pool" 1 'ENOMEM' tlsf replay /tmp/large.trace
same "it left blocks" "$(figure used_blocks)" 0
holds "the heap is sound" tlsf check
finish
