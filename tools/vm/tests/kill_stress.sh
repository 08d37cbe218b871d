#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# kill -9 of a stress run leaves nothing allocated, and the module unloads.
#
# Room: vm.
# shellcheck source=tools/vm/tests/module.sh
. /bin/module.sh

kill_one() {
	tlsf stress --threads "$1" --duration 60 --slots 512 >/dev/null 2>&1 &
	child=$!
	holds "$1 threads: blocks are in use" soon blocks_in_use
	kill_child $child
	same "$1 threads, killed: used bytes" "$(figure used_bytes)" 0
	same "$1 threads, killed: free blocks" "$(figure free_blocks)" 1
	holds "$1 threads, killed: the heap is sound" tlsf check
}

load
kill_one 1
kill_one 4
holds "the module unloads" rmmod tlsf_mod
holds "nothing is left" nothing_left
finish
