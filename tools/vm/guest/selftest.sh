# shellcheck shell=dash
# SPDX-License-Identifier: GPL-2.0-only
#
# In the guest: runs tlsf_selftest, while operations are not timed and while they are.
# The host sends NMIs from the line that asks for them on.
#
# Room: vm.
# shellcheck source=tools/build/ktap.sh
. /bin/ktap.sh

run() {
	echo "$1" >/sys/module/tlsf_mod/parameters/latency
	insmod /modules/tlsf_selftest.ko nmi_wait=10 || return
	cat /sys/kernel/debug/tlsf_selftest/results
	grep -q '^# 0 failed' /sys/kernel/debug/tlsf_selftest/results
	passed=$?
	rmmod tlsf_selftest && return "$passed"
}

insmod /modules/tlsf_mod.ko
echo "# please send NMIs"
for latency in 0 1; do
	subtests "latency=$latency" run $latency
done
holds "the module goes" rmmod tlsf_mod
finish
