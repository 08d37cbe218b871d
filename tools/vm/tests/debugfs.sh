#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# The views in debugfs agree with the ioctls, and are for root alone.
#
# Room: vm. In the guest. A stress run that is stopped keeps the pool
# full and still.
# shellcheck source=tools/vm/tests/module.sh
. /bin/module.sh

# "map_sum STATE": blocks and bytes of a state in the map
map_sum() {
	awk -v state="$1" '$3 == state { n++; bytes += $2 } END { print n + 0, bytes + 0 }' \
		"$debugfs/map"
}

# "latency_count OP PART"
latency_count() {
	awk -v op="$1" -v part="$2" '$1 == op && $2 == part { n += $4 } END { print n + 0 }' \
		"$debugfs/latency"
}

# Stopped outside of the kernel, so that no batch goes on.
all_stopped() {
	! grep -h '^State:' /proc/"$child"/task/*/status | grep -qv 'T (stopped)'
}

stats_agree() {
	for name in used_bytes free_bytes overhead_bytes largest_free high_water used_blocks \
		free_blocks allocs frees resizes fail_exhausted fail_fragmented bad_frees \
		steps_max_seen fail_busy deferred_frees damaged fail_damaged; do
		same "$name" "$(view $name)" "$(figure $name)"
	done
	same "pool_bytes" "$(view pool_bytes)" "$(cat $parameters/pool_size)"
}

map_agrees() {
	same "used blocks and bytes of the map" "$(map_sum used)" \
		"$(figure used_blocks) $(figure used_bytes)"
	same "free blocks and bytes of the map" "$(map_sum free)" \
		"$(figure free_blocks) $(figure free_bytes)"
}

latency_agrees() {
	for op in alloc free resize; do
		for part in hold total; do
			same "$op $part in latency" "$(latency_count $op $part)" \
				"$(recorded $op $part)"
		done
	done
	holds "latency tells its unit" grep -Eq 'cycles of [0-9]+ Hz' "$debugfs/latency"
}

# "map_bytes DD-ARGUMENT...": of what dd reads there
map_bytes() {
	dd if="$debugfs/map" "$@" 2>/dev/null
}

many_blocks_in_use() {
	[ "$(figure used_blocks)" -gt 20000 ]
}

# A map of a megabyte costs the kernel a page, and is the same however it is read.
large_map() {
	load
	tlsf stress --threads 2 --duration 60 --slots 40000 --size fixed:24 --batch 256 \
		--resize-mix 0 >/dev/null 2>&1 &
	child=$!
	holds "very many blocks are in use" soon many_blocks_in_use
	kill -STOP $child
	holds "and nobody is at work on them" soon all_stopped
	map_agrees
	holds "one read() gets a page at most" [ "$(map_bytes bs=1M count=1 | wc -c)" -le 65536 ]
	cat "$debugfs/map" >/tmp/map
	holds "read in small pieces" sh -c "dd if=$debugfs/map bs=1000 2>/dev/null | cmp - /tmp/map"
	same "read from the middle" "$(map_bytes bs=1000 skip=500 count=1 | md5sum)" \
		"$(dd if=/tmp/map bs=1000 skip=500 count=1 2>/dev/null | md5sum)"
	same "read behind the end" "$(map_bytes bs=1M skip=100 | wc -c)" 0
	exec 3<"$debugfs/map"
	read -r line <&3
	same "the first line" "$line" "$(head -n 1 /tmp/map | sed 's/^ *//')"
	insmod /modules/tlsf_contexts.ko task=1 && rmmod tlsf_contexts
	expect "a pool that changes ends the map, and it says so" 0 \
		'^# the pool changed meanwhile: read again for the rest$' sh -c 'tail -n 1 <&3'
	exec 3<&-
	kill_child $child
	rm /tmp/map
}

# The addresses of a module that has gone have no name, and are shown to nobody.
caller_that_has_gone() {
	load
	insmod /modules/tlsf_contexts.ko task=10 && rmmod tlsf_contexts
	holds "operations of a module that has gone" [ "$(latency_count alloc hold)" = 10 ]
	expect "latency tells that it has gone" 0 '^#   worst: .* from \(module gone\)$' \
		cat "$debugfs/latency"
	expect "and no address" 1 '' grep -E 'from .*(0x)?[0-9a-f]{8}' "$debugfs/latency"
}

for_root_alone() {
	for file in stats latency map; do
		same "mode of $file" "$(stat -c %a $debugfs/$file)" 400
		expect "$file cannot be written" 1 '' sh -c "echo 1 >$debugfs/$file"
	done
}

load
tlsf stress --threads 2 --duration 60 --slots 256 --batch 16 >/dev/null 2>&1 &
child=$!
holds "blocks are in use" soon blocks_in_use
kill -STOP $child
holds "and nobody is at work on them" soon all_stopped
stats_agree
map_agrees
latency_agrees
for_root_alone
kill_child $child
same "used_bytes at the end" "$(view used_bytes)" 0
large_map
caller_that_has_gone
unload
holds "the views go with the module" [ ! -d "$debugfs" ]
finish
