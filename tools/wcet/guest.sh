# shellcheck shell=dash
# SPDX-License-Identifier: GPL-2.0-only
#
# In the guest: prints "wcet-max NAME NUMBER" for each operation with nobody listening,
# for the time that the lock was held, as the module itself records it, and for each
# operation while it does so; "wcet-phase PHASE NAME NUMBER"; and, for pools of several
# sizes with that many live blocks, "wcet-flat SIZE LIVE NAME NUMBER".
#
# Room: wcet. In the guest.

# measured POOL-SIZE LATENCY PARAMETER...: load the module afresh, measure, and print
measured() {
	rmmod wcet_measure tlsf_mod 2>/dev/null
	insmod /modules/tlsf_mod.ko pool_size="$1" latency="$2" || exit 1
	shift 2
	dmesg -c >/dev/null
	insmod /modules/wcet_measure.ko "$@" || exit 1
	dmesg | grep -oE 'wcet-(max|phase) .*' || exit 1
}

flat() {
	measured "$1" 0 only_default=1 live="$2" | sed -n "s/wcet-max/wcet-flat $1 $2/p"
}

measured 64M 0
measured 64M 1 only_default=1 deferring=0 >/dev/null
tlsf stress --threads 4 --seed 1 --ops 40000 --align-mix 30 --resize-mix 30 >/dev/null || exit 1
for op in alloc free resize; do
	echo "wcet-max $op (hold) $(tlsf stat --get latency/$op/hold/cycles/max)"
done
measured 64M 1 timed=1 deferring=0
flat 64K 10
flat 64K 500
flat 1M 10
flat 1M 10000
flat 64M 10
flat 64M 1000000
flat 1G 10
flat 1G 1000000
