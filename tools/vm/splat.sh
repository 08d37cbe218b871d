#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Looks for what a kernel says when something went wrong.
#
# Room: vm. Usage: splat.sh LOG   Prints the offending lines with their numbers
# and exits 1 when there are any; 0 when the log is clean. What a kernel says while
# it boots, up to the mark that vm/init makes, is not its guest script's doing (UML
# with lockdep warns about itself); without the mark all of the log counts. A data race of
# the kernel with itself is shown and counted, and is no failure. Who damages a heap on
# purpose does it in a pool of that name, or is tlsf_damage.ko.
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

# What the kernel does for whoever calls it, with memory that is the caller's: an access in
# one of these was made by the first function below it in the stack that is not.
helpers='^_*(mem(cpy|move|set|cmp|chr|scan|dup)[a-z0-9_]*|k?str[a-z_]*|v?s[cn]*printf|number'
helpers+='|h?list_[a-z_]*|llist_[a-z_]*|rb_[a-z_]*|bitmap_[a-z_]*|find_[a-z]*_[a-z_]*bit[a-z_]*'
helpers+='|copy_(from|to)_[a-z_]*|atomic[a-z0-9_]*|refcount_[a-z_]*|sort|sort_r|bsearch)$'

# Races of the kernel with itself although both sides may be calls of ours: it looks without
# a lock whether a call between processors is under way still, and how many pages for per-CPU
# variables are empty.
known='(__flush_smp_call_function_queue / smp_call_function_single_async'
known+='|pcpu_alloc / pcpu_free_area)'

# Where reports of a data race begin that are not ours. A report does not tell whose memory
# it is about. It is ours when
# - either access was made in a module of ours, or for it by one of the helpers: our code;
# - or both were made by the kernel on behalf of functions of ours: what two calls of ours
#   reach is taken for our memory, as a tree that we change in one and look into in another.
# Where only one of them was, the kernel raced with itself, as its clock that is read without
# a lock (ktime_get_mono_fast_ns / timekeeping_update), and we but called it. What is above
# the entry of an interrupt was but interrupted. A report that is cut short counts as ours.
foreign_races() {
	awk -v helpers="$helpers" -v known="$known" '
		/BUG: KCSAN: / { title = NR; excused = $0 ~ known; made = called = 0; next }
		/ bytes by / { top = 1; interrupted = counted = 0 }
		title && match($0, /[A-Za-z0-9_.]+\+0x[0-9a-f]+\/0x/) {
			name = substr($0, RSTART, RLENGTH)
			sub(/[.+].*/, "", name)
			ours = / \[tlsf_/
			if (name ~ /^asm_/)
				interrupted = 1
			if (top && name !~ helpers) {
				top = 0
				made += ours
			}
			if (ours && !interrupted && !counted) {
				counted = 1
				called++
			}
		}
		title && /==========/ {
			if (!made && (called < 2 || excused))
				print title
			title = 0
		}' "$1"
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
			print others " data races of the kernel with itself"
		exit !found
	}'
