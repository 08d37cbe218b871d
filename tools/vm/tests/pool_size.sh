#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# pool_size=: what is refused, with its reason in the log and nothing left; what is taken.
#
# Room: vm.
# shellcheck source=tools/vm/tests/module.sh
. /bin/module.sh

# The exit status of busybox's insmod is the errno.
einval=22 enomem=12 erange=34

# "refuse VALUE ERRNO REASON-IN-LOG"
refuse() {
	dmesg -c >/dev/null
	expect "pool_size=$1 is refused" "$2" '' insmod "$module" "pool_size=$1"
	expect "pool_size=$1: the log says why" 0 "tlsf: pool_size=$3" dmesg
	holds "pool_size=$1 leaves nothing" nothing_left
}

# "accept VALUE BYTES"
accept() {
	holds "pool_size=$1 is taken" load "pool_size=$1"
	same "pool_size=$1: bytes" "$(awk '/^pool_bytes/ { print $2 }' "$debugfs/stats")" "$2"
	holds "pool_size=$1: the pool works" tlsf stress --ops 200 --slots 16 \
		--size loguniform:16-256
	holds "pool_size=$1: unloads" rmmod tlsf_mod
}

# "memory LINE": MiB of a line of /proc/meminfo
memory() {
	awk -v line="$1:" '$1 == line { print int($2 / 1024) }' /proc/meminfo
}

malformed() {
	refuse +16M $einval '[+]16M refused: give bytes'
	for value in -1 -16M junk '' M 16Q 1Mx 1.5M 0x 0xM 09 1KK '" 16M"' '"16M "' '"16 M"'; do
		refuse "$value" $einval "$(echo "$value" | tr -d '"') refused: give bytes, up to [0-9]+, with K, M"
	done
}

# What does not fit in 64 bits, by the number or by its suffix. memparse() made of the
# first 16 MiB, and 0 of the second.
wrapping() {
	for value in 18446744073726328832 18446744073709551616 17179869184G 16E \
		0x10000000001000000 0x400000000000000K 99999999999999999999999; do
		refuse "$value" $erange "$value refused: give bytes, up to [0-9]+, with K, M"
	done
}

out_of_range() {
	refuse 0 $einval '0 refused: give 16384 to'
	refuse 0M $einval '0 refused: give 16384 to'
	refuse 0x1E $einval '30 refused: give 16384 to'
	refuse 18446744073709551615 $einval '18446744073709551615 refused: give 16384 to'
	refuse 1K $einval '1024 refused: give 16384 to 34359738368 bytes'
	refuse 16383 $einval '16383 refused: give 16384 to'
	refuse 1E $einval '1152921504606846976 refused: give 16384 to'
	refuse 33G $einval '35433480192 refused: give 16384 to 34359738368'
}

# MiB that pools leave: a sixteenth of the machine, from 16 to 256.
reserve() {
	set -- $(($(memory MemTotal) / 16))
	[ "$1" -ge 16 ] || set -- 16
	[ "$1" -le 256 ] || set -- 256
	echo "$1"
}

forks_succeed() {
	for i in $(seq 50); do
		sh -c "head -c 1048576 /dev/zero | wc -c" | grep -qx 1048576 || return 1
	done
}

# Less is taken, and the machine is usable beside it. KASAN's shadow of a pool takes an
# eighth of it besides.
within_reserve() {
	size=$(($(memory MemAvailable) - $(reserve) - 8))
	until insmod "$module" "pool_size=${size}M" 2>/dev/null || [ $size -lt 64 ]; do
		size=$((size - 16))
	done
	echo "# pool_size=${size}M, $(memory MemAvailable) MiB left, $(reserve) reserved"
	holds "a pool that leaves the reserve is taken" [ -d /sys/module/tlsf_mod ]
	holds "and has left it" [ "$(memory MemAvailable)" -ge $(($(reserve) - 4)) ]
	holds "processes can be started beside it" forks_succeed
	holds "and it unloads" rmmod tlsf_mod
}

# The last value but one is less than there is, and more than is available; the last is
# less than that, and leaves too little: an error, no OOM killer.
more_than_memory() {
	before=$(memory MemAvailable)
	for value in 32G 12G 2G "$(($(memory MemTotal) - 16))M" \
		"$((before - $(reserve) / 2))M"; do
		refuse "$value" $enomem '[0-9]+ refused .*: [0-9]+ bytes are available, and [0-9]+ of them'
	done
	holds "refused pools give their memory back" [ "$(memory MemAvailable)" -gt $((before - 32)) ]
}

good() {
	accept 16K 16384
	accept 64K 65536
	accept 65535 65536
	accept 1M 1048576
	accept 2m 2097152
	accept 0x100000 1048576
	accept 0x40K 65536
	accept 0X100000 1048576
	accept 0200000 65536
	accept 200M 209715200
}

unload
malformed
wrapping
out_of_range
more_than_memory
within_reserve
good
holds "after all that the default loads" load
same "default pool_size" "$(cat $parameters/pool_size)" 16777216
finish
