#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# rmmod is refused while somebody uses the module, and works as soon as nobody does.
#
# Room: vm.
# shellcheck source=tools/vm/tests/module.sh
. /bin/module.sh

busy='Resource temporarily unavailable|in use|busy'

held_by_an_open_file() {
	exec 3</dev/tlsf
	expect "refused while a file is open" 1 "$busy" rmmod tlsf_mod
	holds "and the device works on" tlsf check
	exec 3<&-
	holds "works when it is closed" rmmod tlsf_mod
	holds "and leaves nothing" nothing_left
	expect "no memory is kept" 1 '' grep -q tlsf /proc/vmallocinfo
}

# For a child the descriptor is as good as for its parent.
held_by_a_child() {
	load
	{ exec </dev/tlsf && sleep 3; } &
	child=$!
	sleep 0.2
	expect "refused while a child has it open" 1 "$busy" rmmod tlsf_mod
	kill_child $child
	holds "works when the child was killed" rmmod tlsf_mod
}

held_by_a_client() {
	load
	if [ ! -f /modules/tlsf_sample.ko ]; then
		skip "refused while a client is loaded" "no sample in this guest"
		return
	fi
	holds "a client loads" insmod /modules/tlsf_sample.ko
	expect "refused while a client is loaded" 1 "$busy" rmmod tlsf_mod
	holds "the client unloads" rmmod tlsf_sample
	same "and has left blocks" "$(figure used_blocks)" 0
	holds "works then" rmmod tlsf_mod
}

again_and_again() {
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		load && tlsf check >/dev/null && rmmod tlsf_mod || return
	done
}

load
held_by_an_open_file
held_by_a_child
held_by_a_client
unload
holds "load and unload ten times" again_and_again
holds "nothing is left after the tenth" nothing_left
finish
