# shellcheck shell=dash
# SPDX-License-Identifier: GPL-2.0-only
#
# In the guest: tasks, softirqs, hard interrupts and NMIs on all processors allocate,
# resize and free each other's blocks; then the same beside threads of user space and the
# sample; then while processors come and go, pools come and go, and their views are read.
# After each, every invariant is checked; at the end nothing is left, and where the kernel
# looks for leaks there is none.
#
# Room: vm. In the guest. tlsf_ops, from the kernel's command line, is the operations of
# the kernel, of which each part does its share; user space does a fortieth of them
# besides. Contents are verified.
ops=${tlsf_ops:-1000000}
half=$((ops / 2))
quarter=$((ops / 4))
user_ops=$((ops / 40))
user_half=$((user_ops / 2))
pools=$((50 + ops / 5000))
threads=$((2 * $(nproc)))
debugfs=/sys/kernel/debug/tlsf
parameters=/sys/module/tlsf_mod/parameters

# ---- what runs in the background, until "end" ----

children=

begin() {
	"$@" >/dev/null 2>&1 &
	children="$children $!"
}

end() {
	# shellcheck disable=SC2086 # several
	kill $children && wait $children
	children=
}

read_views() {
	while :; do cat "$debugfs"/*/*; done
}

change_threshold() {
	while :; do
		for cycles in 1000000000000 0; do
			echo "$cycles" >"$parameters/max_cycles"
		done
	done
}

# All but the first, which cannot go, one after the other
plug_processors() {
	trap 'echo 1 | tee /sys/devices/system/cpu/cpu[1-9]*/online; exit' TERM
	while :; do
		for online in /sys/devices/system/cpu/cpu[1-9]*/online; do
			echo 0 >"$online" && echo >>/tmp/unplugged
			sleep 0.1
			echo 1 >"$online"
		done
	done
}

# ---- what must succeed ----

# What the module did is in one line of the log.
race() {
	insmod /modules/tlsf_race.ko ops="$1" nmi="$nmi" && rmmod tlsf_race
}

user_stress() {
	tlsf stress --threads "$threads" --ops "$1" --seed 1
}

storm() {
	insmod /modules/tlsf_storm.ko pools="$pools" && rmmod tlsf_storm
}

# "together COMMAND COMMAND": both at once
together() {
	$1 &
	other=$!
	$2
	set -- $?
	wait "$other" && [ "$1" = 0 ]
}

went() {
	[ "$(wc -l </tmp/unplugged)" -gt 0 ]
}

all_back() {
	! grep -v 1 /sys/devices/system/cpu/cpu[1-9]*/online
}

nothing_left() {
	grep -q '^used_blocks  *0$' "$debugfs/default/stats" && [ "$(ls "$debugfs")" = default ]
}

# What the kernel's log says of the load, and how fast all of it was
account() {
	echo "# processors were unplugged $(wc -l </tmp/unplugged) times"
	dmesg | sed -n 's/^.*\] tlsf_\(race\|storm\): /# /p'
	dmesg | awk -v user=$user_ops -v seconds=$(($(date +%s) - start)) '
		/\] tlsf_race: / { sub(/.*tlsf_race: /, ""); sum += $1 }
		END {
			printf "# %d operations, %d of them from user space, in %d s: %d a second\n",
			sum + user, user, seconds, (sum + user) / (seconds + !seconds)
		}'
}

# shellcheck source=tools/build/ktap.sh
. /bin/ktap.sh
case $(uname -m) in x86_64 | aarch64) nmi=1 ;; *) nmi=0 ;; esac
start=$(date +%s)
kmemleak.sh clear
holds "module and sample load" insmod /modules/tlsf_mod.ko
holds "tasks, softirqs, interrupts, NMIs: $half operations on $(nproc) processors" race $half
holds "every invariant holds" tlsf check
holds "a module allocates in hard interrupts" insmod /modules/tlsf_sample.ko
holds "$quarter beside $user_half of $threads threads of user space" \
	together "race $quarter" "user_stress $user_half"
holds "every invariant holds, beside the interrupts" tlsf check
begin plug_processors
begin read_views
begin change_threshold
holds "$quarter while processors and $pools pools come and go" together "race $quarter" storm
holds "$user_half of user space while processors come and go" user_stress $user_half
end
holds "processors went" went
holds "all of them are back" all_back
holds "the sample goes" rmmod tlsf_sample
holds "every invariant holds" tlsf check
holds "nothing is left" nothing_left
holds "the module goes" rmmod tlsf_mod
account
[ ! -e /sys/kernel/debug/kmemleak ] || holds "nothing leaked" kmemleak.sh scan
finish
