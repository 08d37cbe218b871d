# shellcheck shell=dash
# SPDX-License-Identifier: GPL-2.0-only
#
# In the guest: prints "wcet-max NAME NUMBER" for each operation, first with nobody
# listening, then with recording on, then the time that the lock was held, as the module
# itself records it.
#
# Room: wcet (guest).

measure() {
	dmesg -c >/dev/null
	insmod /modules/wcet_measure.ko || return 1
	dmesg | grep -o 'wcet-max .*'
}

# The first time breaks records, the second time none: the same operations, in the pool
# whose histograms are still there.
measure_recorded() {
	measure >/dev/null && rmmod wcet_measure || return 1
	measure | sed -n 's/^wcet-max \(tlsf_k[a-z]*\) /wcet-max \1 (timed) /p'
}

# "alloc": { "hold": { "count": ..., "cycles": { ... "max": 228 } becomes one line
holds() {
	tlsf stat --json | awk '
		/"(alloc|free|resize)": \{/ { gsub(/[":{ ]/, ""); op = $0 }
		/"(hold|total)": \{/ { kind = $1 }
		/"cycles": \{/ { cycles = 1 }
		/"max":/ && cycles && kind == "\"hold\":" { print "wcet-max " op " (hold) " $2 + 0 }
		/\}/ { cycles = 0 }'
}

insmod /modules/tlsf_mod.ko pool_size=64M latency=0 || exit 1
measure || exit 1
rmmod wcet_measure
echo 1 >/sys/module/tlsf_mod/parameters/latency
tlsf reset || exit 1
measure_recorded || exit 1
tlsf stress --threads 4 --seed 1 --ops 40000 --align-mix 30 --resize-mix 30 >/dev/null || exit 1
holds
