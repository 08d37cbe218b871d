#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Looks for what a kernel says when something went wrong.
#
# Room: harness. Usage: splat.sh LOG   Prints the offending lines with their numbers
# and exits 1 when there are any; 0 when the log is clean. What a kernel says while
# it boots, up to the mark that vm/init makes, is not its guest script's doing (UML
# with lockdep warns about itself); without the mark all of the log counts.
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

if [ $# != 1 ] || [ ! -s "$1" ]; then
	echo "splat.sh: give one kernel log that is not empty; got '$*'" >&2
	exit 2
fi
mark=$(grep -anm 1 'tlsf-vm: script begins' "$1" | cut -d: -f1) || mark=0
! grep -anE "$(joined "${splats[@]}")" "$1" | awk -F: -v mark="$mark" '
	$1 > mark { print; found = 1 }
	END { exit !found }'
