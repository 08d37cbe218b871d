# shellcheck shell=dash
# SPDX-License-Identifier: GPL-2.0-only
#
# In the guest: the workloads at /bench one after another, and what the module printed;
# if a fault is to be seeded, then the last once more with it, which must not go well.
#
# Room: bench. In the guest.

# bench WORKLOAD FAULT: did it go well?
bench() {
	dmesg -c >/dev/null
	insmod /modules/tlsf_bench.ko workload="$1" fault="$2" || return 1
	dmesg | sed -nE 's/^(\[.*\] )?bench/bench/p'
	dmesg | grep -q 'bench-done'
}

echo "bench-kernel $(uname -r)"
insmod /modules/tlsf_mod.ko latency=0 || exit 1
for workload in /bench/workloads/*; do
	bench "$workload" 0 || exit 1
	rmmod tlsf_bench
done
read -r fault </bench/fault
[ "$fault" != 0 ] || exit 0
! bench "$workload" "$fault" || { echo "bench: nobody noticed fault $fault" && exit 1; }
