# shellcheck shell=dash
# SPDX-License-Identifier: GPL-2.0-only
#
# In the guest: prints "wcet-max NAME NUMBER" for each operation, first with nobody
# listening, then the time that the lock was held, as the module itself records it.
#
# Room: wcet (guest).

maxima() { dmesg | grep -o 'wcet-max .*'; }

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
insmod /modules/wcet_measure.ko || exit 1
maxima || exit 1
rmmod wcet_measure
echo 1 >/sys/module/tlsf_mod/parameters/latency
tlsf reset || exit 1
insmod /modules/wcet_measure.ko || exit 1
tlsf stress --threads 4 --seed 1 --ops 40000 --align-mix 30 --resize-mix 30 >/dev/null || exit 1
holds
