# shellcheck shell=dash
# SPDX-License-Identifier: GPL-2.0-only
#
# In the guest: runs tlsf_selftest, while operations are not timed and while they are.
# The host sends NMIs from the line that asks for them on.
#
# Room: harness (guest).
status=0

run() {
	echo "$1" >/sys/module/tlsf_mod/parameters/latency
	echo "    # Subtest: latency=$1"
	insmod /modules/tlsf_selftest.ko nmi_wait=10 || return
	sed 's/^/    /' /sys/kernel/debug/tlsf_selftest/results
	grep -q '^# 0 failed' /sys/kernel/debug/tlsf_selftest/results
	passed=$?
	rmmod tlsf_selftest && return $passed
}

echo "KTAP version 1"
echo "1..2"
insmod /modules/tlsf_mod.ko
echo "# please send NMIs"
for latency in 0 1; do
	if run $latency; then
		echo "ok $((latency + 1)) - latency=$latency"
	else
		echo "not ok $((latency + 1)) - latency=$latency"
		status=1
	fi
done
rmmod tlsf_mod || status=1
exit $status
