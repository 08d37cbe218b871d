#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# What is recorded in task, softirq, hard interrupt and NMI context is told apart.
#
# Room: vm. tlsf_contexts.ko does the operations.
# shellcheck source=tools/vm/tests/module.sh
. /bin/module.sh

# "in_context OP CONTEXT": operations recorded there
in_context() {
	tlsf hist --op "$1" --context "$2" --get "histograms/$1/count"
}

# "operate PARAMETER...": afresh; the module stays, so that its symbols have names
operate() {
	rmmod tlsf_contexts 2>/dev/null
	tlsf reset
	insmod /modules/tlsf_contexts.ko "$@"
}

# "row OP CONTEXT": the row of tlsf stat
row() {
	tlsf stat | grep -E "^  $1 +total $2 .*[0-9]"
}

counted_apart() {
	holds "operations in each context" operate task=20 softirq=30 hardirq=50
	for op in alloc free resize; do
		same "$op in task context" "$(in_context $op task)" 20
		same "$op in a softirq" "$(in_context $op softirq)" 30
		same "$op in a hard interrupt" "$(in_context $op hardirq)" 50
		same "$op in NMI" "$(in_context $op NMI)" 0
		same "$op in any context" "$(in_context $op any)" 100
	done
}

failures_too() {
	holds "requests that fail" operate task=20 failing=7
	same "allocations" "$(in_context alloc any)" 27
	same "frees" "$(in_context free any)" 20
	holds "failures alone" operate failing=1
	expect "the witness is the one that failed" 0 \
		'^  alloc  hold  task +[0-9]+ cycles .*: 9223372036854775807 bytes.*from fail' tlsf stat
	same "and nothing is allocated" "$(figure used_blocks)" 0
}

shown_apart() {
	for context in task softirq hardirq any; do
		holds "stat has a row of $context" row alloc $context
		holds "hist has one of $context" tlsf hist --op free --context $context
	done
	expect "stat has no row of what never occurred" 1 '' row alloc NMI
	expect "the witness is of its context" 0 '^  free   hold  hardirq [0-9]+ cycles .*: [0-9]+ bytes.*from operate' \
		tlsf stat
	for context in task softirq hardirq; do
		expect "hist draws $context" 0 "^# alloc, hold, $context" tlsf hist --op alloc
		expect "and the witness of $context" 0 "\"context\": \"$context\"" \
			tlsf hist --op alloc --context $context --json
		holds "debugfs has $context" grep -q "^resize .*$context" "$debugfs/latency"
	done
	expect "hist draws no NMI" 1 '' sh -c "tlsf hist | grep NMI"
}

# The figures of one context are in order, and in stat's JSON where its text has a row.
json_apart() {
	expect "JSON has the contexts that occurred" 0 '"hardirq": \{' tlsf stat --json
	expect "and no other" 1 '' sh -c 'tlsf stat --json | grep -q NMI'
	last=0
	for figure in min p50 p99 p99.9 p99.99 max; do
		value=$(tlsf hist --context softirq --get "histograms/alloc/cycles/$figure")
		holds "$figure is $value, no less than the figure before" [ "$value" -ge "$last" ]
		last=$value
	done
}

one_alone() {
	holds "operations in a hard interrupt alone" operate hardirq=10
	holds "a row of it" row alloc hardirq
	for context in any task softirq; do
		expect "no row of $context" 1 '' row alloc $context
	done
}

# What tools/cli/plot.py reads, here and there.
plotted() {
	operate task=20 softirq=30 hardirq=50
	tlsf hist --json >/tmp/hist.json
	same "kind" "$(tlsf hist --get kind)" hold
	for key in clock/hz clock/unit histograms/free/contexts/hardirq/cycles/p99.99; do
		holds "hist has $key" tlsf hist --get $key
	done
	same "operations in the buckets" "$(tlsf hist --get histograms/alloc/contexts/softirq/buckets |
		awk '/"from"/ { rows++ } /"count"/ { gsub(/,/, ""); sum += $2 }
			END { print (rows > 0) * sum }')" 30
	# for whoever wants to draw it
	while read -r line; do echo "# json $line"; done </tmp/hist.json
}

counted_in_nmi() {
	holds "operations in NMI beside others" operate task=20 nmi=40
	for op in alloc free resize; do
		same "$op in NMI" "$(in_context $op NMI)" 40
		same "$op in task context beside it" "$(in_context $op task)" 20
		holds "debugfs has NMI" grep -q "^$op .*NMI" "$debugfs/latency"
	done
	holds "stat has a row of NMI" row alloc NMI
	expect "hist draws NMI" 0 '^# alloc, hold, NMI' tlsf hist --op alloc
	expect "and the witness of NMI" 0 '"context": "NMI"' tlsf hist --op alloc --context NMI --json
	same "refused where the lock was free" "$(figure fail_busy)" 0
	same "deferred where it was free" "$(figure deferred_frees)" 0
}

# Some NMIs hit an allocator that holds the lock, here or on the other processor. Few
# operations do where one takes long.
race_with_nmis() {
	tlsf reset
	for ops in 2000 10000 50000 50000 50000 50000 50000 50000 50000; do
		insmod /modules/tlsf_race.ko ops="$ops" nmi=1 && rmmod tlsf_race || return
		[ "$(figure fail_busy)" = 0 ] || [ "$(figure deferred_frees)" = 0 ] || return 0
	done
	return 1
}

# What the module says that its requests in NMI were refused, is what the pool has counted.
counted_where_the_lock_is_taken() {
	dmesg -c >/dev/null
	holds "requests refused and frees deferred in NMI" race_with_nmis
	same "refused requests" "$(figure fail_busy)" "$(dmesg | awk '
		/tlsf_race: / { sub(/.*refused, /, ""); sum += $1 } END { print sum }')"
	for name in fail_busy deferred_frees; do
		same "$name in debugfs" "$(view $name)" "$(figure $name)"
	done
	expect "stat tells both" 0 "^  lock not free +$(figure fail_busy) refused, $(figure deferred_frees) frees deferred" \
		tlsf stat
	same "blocks left" "$(figure used_blocks)" 0
	tlsf reset --counters
	same "both after a reset" "$(figure fail_busy) $(figure deferred_frees)" "0 0"
	rmmod tlsf_contexts
}

load
counted_apart
shown_apart
json_apart
one_alone
failures_too
rmmod tlsf_contexts
if nmis_can_be_sent; then
	counted_in_nmi
	counted_where_the_lock_is_taken
else
	skip "operations in NMI" "tlsf_contexts.ko sends none on this machine"
fi
plotted
expect "a context that there is not" 2 "'nmi' is none of: any task softirq" tlsf hist --context nmi
holds "the client goes" rmmod tlsf_contexts
expect "a caller that has gone has no name, and no address" 0 'from an unnamed caller' tlsf stat
unload
finish
