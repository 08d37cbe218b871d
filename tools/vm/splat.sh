#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Looks for what a kernel says when something went wrong.
#
# Room: harness. Usage: splat.sh LOG   Prints the offending lines with their numbers
# and exits 1 when there are any; 0 when the log is clean. What a kernel says while
# it boots, up to the mark that vm/init makes, is not its guest script's doing (UML
# with lockdep warns about itself); without the mark all of the log counts. A data race
# between functions of the kernel's own alone is shown and counted, and is no failure. Who
# damages a heap on purpose does it in a pool of that name, or is tlsf_damage.ko.
# vm/selftest.sh seeds every pattern once.
set -euo pipefail

splats=(
	'WARNING: '
	'BUG: '
	'kernel BUG at'
	'Oops'
	'Call Trace:'
	'Kernel panic'
	'general protection fault'
	'double fault'
	'stack segment'
	'possible (circular|recursive) locking'
	'possible irq lock inversion'
	'inconsistent lock state'
	'Invalid wait context'
	'suspicious RCU usage'
	'held lock freed'
	'bad unlock balance'
	'scheduling while atomic'
	'sleeping function called'
	'workqueue leaked lock'
	'INFO: (rcu|task|possible|trying to register)'
	'rcu.*(stall|self-detected)'
	'soft lockup|hard LOCKUP'
	'blocked for more than'
	'unreferenced object'
	'KASAN:|KCSAN:|KFENCE:|UBSAN:'
	'refcount_t: '
	'list_(add|del) corruption'
	'Bad page (state|map)'
	'page allocation failure'
	'Unable to handle kernel'
	'Modules linked in:'
	'segfault at|traps: .* trap '
	'Unknown symbol|disagrees about version'
	'tlsf: .*(live block|leak|heap is damaged)'
)

joined() {
	local IFS='|'
	echo "$*"
}

# Where reports of a data race begin that have no function of ours in either stack. What is
# above the entry of an interrupt was but interrupted. One that is cut short counts as ours.
# Whoever calls it, the kernel looks without a lock whether a call between processors is
# under way still, and how many pages for per-CPU variables are empty.
foreign_races() {
	awk -v known='(__flush_smp_call_function_queue / smp_call_function_single_async|pcpu_alloc / pcpu_free_area)' '
		/BUG: KCSAN: / { title = NR; callers = $0 !~ known; next }
		/ bytes by / { interrupted = 0 }
		/ asm_/ { interrupted = 1 }
		/ \[tlsf_/ && callers && !interrupted { title = 0 }
		title && /==========/ { print title; title = 0 }' "$1"
}

if [ $# != 1 ] || [ ! -s "$1" ]; then
	echo "splat.sh: give one kernel log that is not empty; got '$*'" >&2
	exit 2
fi
mark=$(grep -anm 1 'tlsf-vm: script begins' "$1" | cut -d: -f1) || mark=0
! grep -anE "$(joined "${splats[@]}")" "$1" |
	awk -F: -v mark="$mark" -v races="$(foreign_races "$1" | tr '\n' ' ')" '
	BEGIN { n = split(races, at, " "); for (i = 1; i <= n; i++) foreign[at[i]] }
	$1 <= mark { next }
	/tlsf: pool damaged: |: heap is damaged, found serving [^ ]+ \[tlsf_damage\]/ { next }
	$1 in foreign { print "not of tlsf: " $0; others++; next }
	{ print; found = 1 }
	END {
		if (others)
			print others " data races of the kernel itself, in no function of tlsf"
		exit !found
	}'
