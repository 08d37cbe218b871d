#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# tlsf stat --max-cycles: woken from each context, tracing stopped, exit status.
#
# Room: vm. The calls themselves: threshold.c.
# shellcheck source=tools/vm/tests/module.sh
. /bin/module.sh

tracing_on=/sys/kernel/tracing/tracing_on
again=/sys/module/tlsf_contexts/parameters/again
never=1000000000000

threshold() {
	cat $parameters/max_cycles
}

is_set() {
	[ "$(threshold)" = "$1" ]
}

# "watch OPTION...": in the background, until it has set the threshold; child
watch() {
	echo 0 >$parameters/max_cycles
	echo 1 >$tracing_on
	tlsf stat --duration 20 --max-cycles "$@" >/tmp/watched 2>&1 &
	child=$!
	holds "the threshold of $1 is set" soon is_set "$1"
}

# "watched CODE PATTERN": it ends with that status and says that
watched() {
	status=0
	wait $child || status=$?
	same "exit status" $status "$1"
	expect "and it says so" 0 "$2" cat /tmp/watched
}

# "exceeded_in CONTEXT [PARAMETER]"
exceeded_in() {
	watch 1
	holds "an operation in $1 context" insmod /modules/tlsf_contexts.ko "${2:-$1}=3"
	watched 1 "^tracing stopped: alloc in $1 context, pool default, [0-9]+ cycles .*: 200 bytes, .* from operate"
	same "tracing after it" "$(cat $tracing_on)" 0
	rmmod tlsf_contexts
}

# Many that are alike, on one processor: each passes the recording's gate without a look,
# until the threshold closes it. To wait longer is to wait for one that breaks a record.
of_the_common_sort() {
	tlsf reset
	insmod /modules/tlsf_contexts.ko
	taskset 1 sh -c "echo 100000000 >$again" &
	child=$!
	sleep 5
	echo 1 >$tracing_on
	echo $(($(tlsf hist --get histograms/alloc/cycles/min) - 1)) >$parameters/max_cycles
	usleep 20000
	same "tracing after the next" "$(cat $tracing_on)" 0
	kill_child $child
	rmmod tlsf_contexts
}

as_json() {
	watch 1 --json
	insmod /modules/tlsf_contexts.ko hardirq=1
	watched 1 '"exceeded": true'
	expect "the operation in JSON" 0 '"operation": "alloc"' cat /tmp/watched
	expect "and its witness" 0 '"context": "hardirq"' cat /tmp/watched
	rmmod tlsf_contexts
}

not_exceeded() {
	watch $never --duration 2
	tlsf stress --ops 500 >/dev/null
	watched 0 "^no operation took more than $never cycles\$"
	same "tracing goes on" "$(cat $tracing_on)" 1
	same "the threshold afterwards" "$(threshold)" 0
	watch $never --duration 1 --json
	watched 0 '"exceeded": false'
}

stopped() {
	for signal in INT TERM; do
		watch $never
		kill -$signal $child
		watched 0 '^no operation took more'
		same "the threshold after SIG$signal" "$(threshold)" 0
	done
}

refused() {
	expect "zero cycles" 2 "'0' is not a number" tlsf stat --max-cycles 0
	expect "a duration without a threshold" 2 'goes with --max-cycles' tlsf stat --duration 5
	echo 0 >$parameters/latency
	expect "without recording" 2 'recording is off' tlsf stat --max-cycles 5
	echo 1 >$parameters/latency
}

at_load() {
	holds "max_cycles= loads" load max_cycles=1
	same "max_cycles= is shown" "$(threshold)" 1
	echo 1 >$tracing_on
	insmod /modules/tlsf_contexts.ko softirq=1
	rmmod tlsf_contexts
	same "tracing after max_cycles=1" "$(cat $tracing_on)" 0
	unload
	expect "max_cycles=some is refused" 22 '' insmod "$module" max_cycles=some
	holds "and leaves nothing" nothing_left
}

load
for context in task softirq hardirq; do
	exceeded_in $context
done
if nmis_can_be_sent; then
	exceeded_in NMI nmi
else
	skip "an operation in NMI context" "tlsf_contexts.ko sends none on this machine"
fi
of_the_common_sort
as_json
not_exceeded
stopped
refused
at_load
echo 1 >$tracing_on
finish
