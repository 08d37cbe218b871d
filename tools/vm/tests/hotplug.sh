#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# What a processor has recorded stays when it goes, and what is changed meanwhile is
# changed for it too.
#
# Room: vm. Processors that come and go under load: stress.
# shellcheck source=tools/vm/tests/module.sh
. /bin/module.sh

online=/sys/devices/system/cpu/cpu1/online
tracing_on=/sys/kernel/tracing/tracing_on

# "operate_there N": operations of each kind on the second processor
operate_there() {
	taskset 2 insmod /modules/tlsf_contexts.ko "task=$1" && rmmod tlsf_contexts
}

plug() {
	holds "the processor is switched to $1" sh -c "echo $1 >$online"
}

stays() {
	tlsf reset
	holds "operations on the second processor" operate_there 30
	worst=$(tlsf hist --get histograms/alloc/cycles/max)
	plug 0
	for op in alloc free resize; do
		same "$op recorded, while it is away" "$(recorded $op hold)" 30
	done
	same "the worst" "$(tlsf hist --get histograms/alloc/cycles/max)" "$worst"
	expect "and where it was" 0 '"cpu": 1' tlsf hist --op alloc --json
	holds "debugfs has them" grep -Eq '^alloc +hold +task +30 ' "$debugfs/latency"
	holds "the pool serves on" tlsf stress --threads 2 --ops 2000
	plug 1
	holds "it takes part again" operate_there 10
}

reset_meanwhile() {
	plug 0
	holds "a reset while it is away" tlsf reset
	plug 1
	for op in alloc free resize; do
		same "$op recorded when it is back" "$(recorded $op hold)" 0
	done
	holds "and on it" operate_there 5
	same "are recorded" "$(recorded alloc hold)" 5
}

# Its operations passed the recording's gate without a look before.
threshold_meanwhile() {
	holds "a thousand of the common sort" operate_there 1000
	plug 0
	echo 1 >$tracing_on
	echo 1 >$parameters/max_cycles
	same "tracing, while nobody operates" "$(cat $tracing_on)" 1
	plug 1
	holds "one more" operate_there 1
	same "tracing after it" "$(cat $tracing_on)" 0
	echo 0 >$parameters/max_cycles
	echo 1 >$tracing_on
}

load
if [ -e $online ]; then
	stays
	reset_meanwhile
	threshold_meanwhile
else
	skip "a processor goes" "this machine cannot unplug its second processor"
fi
unload
finish
