#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Tracepoints: they are there, fire once for each operation, and take a histogram.
#
# Room: vm.
# shellcheck source=tools/vm/tests/module.sh
. /bin/module.sh

tracing=/sys/kernel/tracing
events=$tracing/events/tlsf
# The second, soon after boot: the kernel has no random numbers yet to hash pointers with.
ptr='ptr=([0-9a-f]+|\(_+ptrval_+\))'

# "operate [SIZE [SLOTS]]": a few operations of one thread without resizing, counted
# afresh; the trace of them is in /tmp/trace.
operate() {
	echo >"$tracing/trace"
	tlsf reset
	tlsf stress --threads 1 --ops 400 --resize-mix 0 --seed 5 --size "${1:-fixed:100}" \
		--slots "${2:-64}"
	status=$?
	cat "$tracing/trace" >/tmp/trace
	return "$status"
}

traced() {
	grep -c " $1: " /tmp/trace
}

switch() {
	echo "$1" >"$events/enable"
}

each_operation_is_traced() {
	switch 1
	holds "operations under trace" operate
	holds "there were some" [ "$(figure allocs)" -gt 100 ]
	same "allocations traced" "$(traced tlsf_alloc)" "$(figure allocs)"
	same "frees traced" "$(traced tlsf_free)" "$(figure frees)"
	same "exhaustions traced" "$(traced tlsf_exhausted)" 0
	expect "an allocation is told whole" 0 \
		"tlsf_alloc: pool=default $ptr size=100 align=[0-9]+ cycles=[0-9]+ total=[0-9]+ steps=[1-9] caller=.*\[tlsf_mod\]" \
		cat /tmp/trace
	expect "a free is told whole" 0 \
		"tlsf_free: pool=default $ptr cycles=[0-9]+ total=[0-9]+ steps=[1-9] caller=" \
		cat /tmp/trace
}

exhaustion_is_traced() {
	holds "more than there is" operate fixed:9M 4
	holds "requests were refused" [ "$(figure fail_exhausted)" -gt 0 ]
	same "exhaustions traced" "$(traced tlsf_exhausted)" \
		$(($(figure fail_exhausted) + $(figure fail_fragmented)))
	expect "an exhaustion tells its cause" 0 \
		'tlsf_exhausted: pool=default size=9437184 align=[0-9]+ cause=exhausted caller=' \
		cat /tmp/trace
}

off_is_off() {
	switch 0
	holds "operations without trace" operate
	same "events traced" "$(traced 'tlsf_[a-z]*')" 0
}

# Tracing times operations also where histograms are off, and records none.
without_recording() {
	echo 0 >$parameters/latency
	switch 1
	holds "operations with latency=0" operate
	expect "cycles are told" 0 'tlsf_alloc: .* cycles=[1-9]' cat /tmp/trace
	switch 0
	echo 1 >$parameters/latency
}

histogram() {
	trigger=$events/tlsf_alloc/trigger
	expect "a histogram of cycles is taken" 0 '' sh -c \
		"echo hist:keys=cycles.log2 >$trigger"
	holds "operations under the histogram" operate
	expect "it counts each allocation" 0 "Hits: $(figure allocs)\$" cat $events/tlsf_alloc/hist
	expect "by powers of two" 0 '^\{ cycles: ~ 2\^[0-9]+ +\} hitcount: +[0-9]+' \
		cat $events/tlsf_alloc/hist
	echo '!hist:keys=cycles.log2' >$trigger
}

unload_while_on() {
	switch 1
	holds "unloads with the events on" rmmod tlsf_mod
	holds "and they are gone" [ ! -d $events ]
}

# Tracing would also ask the scheduler for the names of tasks, and so rewrite code that
# every processor runs all the time. QEMU 7.2 may go on executing the breakpoint that
# stood there for a moment, and the guest stands still: docs/testing.md.
echo 0 >$tracing/options/record-cmd
load
for event in tlsf_alloc tlsf_free tlsf_exhausted; do
	holds "$event is there" [ -f $events/$event/format ]
done
each_operation_is_traced
exhaustion_is_traced
off_is_off
without_recording
histogram
unload_while_on
finish
