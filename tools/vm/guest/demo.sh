# shellcheck shell=dash
# SPDX-License-Identifier: GPL-2.0-only
#
# In the guest: what the module does, in two minutes of reading. Any command that
# fails ends the demo with a failure.
#
# Room: vm. In the guest.

say() { printf '\n== %s\n' "$*"; }

# Show a command as one would type it, then what it prints.
run() {
	printf '\n# %s\n' "$*"
	"$@" || { echo "demo: '$*' failed with status $?" && exit 1; }
}

no_block_left() {
	grep -q '^used_blocks  *0$' /sys/kernel/debug/tlsf/default/stats
}

say "A stock kernel, $(uname -r), loads the module"
run insmod /modules/tlsf_mod.ko pool_size=64M
run tlsf info

say "Recorded allocations, replayed through /dev/tlsf, contents verified"
for trace in /traces/*.zst; do
	run tlsf replay "$trace"
done

say "Random load from four threads, contents verified"
run tlsf stress --threads 4 --seed 1 --ops 200000

say "Another module allocates in hard interrupt context"
run insmod /modules/tlsf_sample.ko
sleep 1
run rmmod tlsf_sample
dmesg | grep tlsf_sample: | sed 's/^\[ *[0-9.]*\] //'

say "What it cost: one cycle is one instruction of this machine"
run tlsf stat
cat <<'END'
A maximum is over all operations, also those that failed or took back a deferred free: lock and
validation included and, in "total", the wait for the lock. What one call may take at most is
another number, proven from the object code: make wcet.
END
run tlsf hist --op alloc
run tlsf hist --op free

say "The pool at work"
tlsf stress --threads 4 --seed 2 --duration 1 >/dev/null &
usleep 500000
run tlsf map --width 80
wait $! || exit 1

say "Every invariant holds, nothing is left, the module goes"
run tlsf check
run no_block_left
run rmmod tlsf_mod
say "done"
