# shellcheck shell=dash
# SPDX-License-Identifier: GPL-2.0-only
#
# In the guest: load from twice as many threads as there are processors, while the sample
# allocates in hard interrupts; then every invariant is checked and nothing is left.
#
# Room: harness (guest). tlsf_ops, from the kernel's command line, is the operations of
# user space; their contents are verified.
ops=${tlsf_ops:-100000}
threads=$((2 * $(nproc)))
count=0 status=0

expect() {
	count=$((count + 1))
	name=$1
	shift
	"$@" >/tmp/output 2>&1
	set -- $?
	[ "$1" = 0 ] && echo "ok $count - $name" && return
	echo "not ok $count - $name"
	echo "# exit status $1; output:"
	sed 's/^/#   /' /tmp/output
	status=1
}

nothing_left() {
	grep -q '^used_blocks  *0$' /sys/kernel/debug/tlsf/default/stats
}

echo "KTAP version 1"
expect "module and sample load" insmod /modules/tlsf_mod.ko
expect "a module allocates in hard interrupts" insmod /modules/tlsf_sample.ko
expect "$ops operations from $threads threads on $(nproc) processors" \
	tlsf stress --threads "$threads" --ops "$ops" --seed 1
expect "every invariant holds, beside the interrupts" tlsf check
expect "the sample goes" rmmod tlsf_sample
expect "every invariant holds" tlsf check
expect "nothing is left" nothing_left
expect "the module goes" rmmod tlsf_mod
echo "1..$count"
exit $status
