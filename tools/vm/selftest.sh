#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Tests the harness itself: each way a run can go wrong must be told from success.
#
# Room: vm. Usage: selftest.sh [KERNEL=amd64]. Prints KTAP. Boots several guests, two at
# a time. On debug and kcsan also with reports of their checkers, provoked by tlsf_seed.ko.
set -euo pipefail
. "$(dirname "$0")/../build/lib.sh"
. "$here/../build/ktap.sh"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# Every line a kernel might say must be found, each on its own.
finds_each() {
	local line
	while IFS= read -r line; do
		printf '[    1.0] clean\n[    2.0] %s\n' "$line" >"$work/log"
		! "$here/splat.sh" "$work/log" >/dev/null || { echo "missed: $line" && return 1; }
	done
}

# "splat NAME CODE PATTERN": what splat.sh makes of the log on standard input
splat() {
	cat >"$work/log"
	expect "splat.sh $1" "$2" "$3" "$here/splat.sh" "$work/log"
}

splat_knows_purpose() {
	local said=': heap is damaged, found serving f+0x1/0x2'
	splat "knows the pool damaged" 0 '' <<<"[1.0] tlsf: pool damaged$said: links"
	splat "knows tlsf_damage.ko" 0 '' <<<"[1.0] tlsf: pool a$said [tlsf_damage]: links"
	splat "knows no other pool" 1 'pool other' <<<"[1.0] tlsf: pool other$said: links"
	splat "knows no other module" 1 '\[other' <<<"[1.0] tlsf: pool a$said [other]: links"
}

splat_starts_at_mark() {
	local boot=$'WARNING: boot\ntlsf-vm: script begins\nfine'
	splat "looks behind the mark only" 0 '' <<<"$boot"
	splat "looks there" 1 'seeded' <<<"$boot"$'\nWARNING: seeded'
}

# A report on standard input in whose stack a function of ours was only interrupted: no
# failure. With one that took part it is, and so it is when the end is missing.
splat_tells_races() {
	local report
	report=$(cat)
	splat "counts races of the kernel with itself" 0 '^1 data races of' <<<"$report"
	splat "tells ours from them" 1 '' <<<"${report/vfs_write+0x1/[tlsf_mod] vfs_write+0x1}"
	splat "takes half a report for ours" 1 '' <<<"${report%$'\n'*}"
}

# "splat_race ours|foreign NAME": the report of a data race on standard input, title and
# stacks, is told for what it is.
splat_race() {
	local frame code=1
	frame="[    1.0] $(printf '=%.0s' {1..66})"
	[ "$1" = ours ] || code=0
	{ echo "$frame" && sed 's/^/[    1.0] /' && echo "$frame"; } >"$work/race"
	splat "knows as $1: $2" $code '' <"$work/race"
}

# The guest's script comes on standard input; options of vm/run follow the name.
boot() {
	local name=$1
	shift
	cat >"$work/$name.sh"
	"${runner[@]}" --timeout $((120 * slow)) --init-script "$work/$name.sh" --log "$work/$name.log" \
		"$@" >"$work/$name.out" 2>"$work/$name.err" &&
		echo 0 >"$work/$name.status" || echo $? >"$work/$name.status"
}

# says what that boot said, and ends as it did
ended() { cat "$work/$1.err" && return "$(cat "$work/$1.status")"; }

passes() { holds "$2" ended "$1"; }

# failed, and for the reason given
fails() { expect "$2" failure "$3" ended "$1"; }

holds "splat.sh finds every seeded line" finds_each <<'END'
WARNING: CPU: 0 PID: 71 at mm/vmalloc.c:3000 __vmalloc_node_range+0x1/0x2
WARNING: possible circular locking dependency detected
WARNING: possible recursive locking detected
WARNING: inconsistent lock state
WARNING: suspicious RCU usage
BUG: kernel NULL pointer dereference, address: 0000000000000000
BUG: unable to handle page fault for address: ffff888000000000
BUG: scheduling while atomic: insmod/71/0x00000002
BUG: sleeping function called from invalid context at mm/slab.h:400
BUG: KASAN: slab-out-of-bounds in tlsf_core_alloc+0x1/0x2
BUG: KCSAN: data-race in tlsf_pool_alloc / tlsf_pool_free
BUG: KFENCE: use-after-free read in tlsf_pool_free+0x1/0x2
BUG: Bad page state in process insmod  pfn:00001
BUG: soft lockup - CPU#0 stuck for 22s! [tlsf:71]
kernel BUG at mm/slub.c:300!
UBSAN: shift-out-of-bounds in tlsf_core.c:10:2
Oops: 0002 [#1] PREEMPT SMP NOPTI
general protection fault, probably for non-canonical address
stack segment: 0000 [#1]
double fault: 0000 [#1]
Call Trace:
Kernel panic - not syncing: Fatal exception
[ BUG: Invalid wait context ]
INFO: trying to register non-static key.
INFO: task tlsf:71 blocked for more than 120 seconds.
INFO: rcu_preempt detected stalls on CPUs/tasks:
rcu: INFO: rcu_preempt self-detected stall on CPU
watchdog: BUG: soft lockup
NMI watchdog: Watchdog detected hard LOCKUP on cpu 0
unreferenced object 0xffff888003c0a000 (size 64):
refcount_t: underflow; use-after-free.
list_add corruption. prev->next should be next
list_del corruption, 1->next is LIST_POISON1
insmod: page allocation failure: order:9, mode:0xcc0
Unable to handle kernel paging request at virtual address 0
Modules linked in: tlsf_mod(OE)
tlsf[71]: segfault at 0 ip 0000000000401000
traps: tlsf[71] trap divide error ip:401000
tlsf_sample: Unknown symbol tlsf_kmalloc (err -2)
tlsf_mod: disagrees about version of symbol module_layout
tlsf: pool default: leak: 3 live blocks, 96 bytes, as the pool is destroyed
tlsf: pool default: heap is damaged, found serving tlsf_kfree: header
bad unlock balance detected!
held lock freed!
workqueue leaked lock or atomic: kworker/0:1
END
splat_knows_purpose
splat_starts_at_mark
splat_tells_races <<'END'
[    1.0] ==================================================================
[    1.0] BUG: KCSAN: data-race in __fput / vfs_write
[    1.0]
[    1.0] write to 0xffff888003c0a000 of 8 bytes by task 71 on cpu 0:
[    1.0]  vfs_write+0x1/0x2
[    1.0]  asm_sysvec_reschedule_ipi+0x1/0x2
[    1.0]  tlsf_pool_alloc+0x1/0x2 [tlsf_mod]
[    1.0]
[    1.0] CPU: 0 PID: 71 Comm: tlsf Tainted: G           O       6.1.192-kcsan #1
[    1.0] ==================================================================
END

splat_race foreign "the kernel's clock, read by a function of ours" <<'END'
BUG: KCSAN: data-race in ktime_get_mono_fast_ns / timekeeping_update

write to 0xffffffff81c0a2c8 of 8 bytes by interrupt on cpu 0:
 timekeeping_update+0x1d1/0x2c0
 tick_nohz_handler+0x5b/0x150
 asm_sysvec_apic_timer_interrupt+0x1b/0x20
 tlsf_pool_alloc+0x32/0xa0 [tlsf_mod]

read to 0xffffffff81c0a2c8 of 8 bytes by task 123 on cpu 1:
 ktime_get_mono_fast_ns+0x42/0xc0
 witness_take+0x95/0x1e0 [tlsf_mod]
 tlsf_latency_record+0x1c4/0x270 [tlsf_mod]
 tlsf_dev_ioctl+0x46/0x60 [tlsf_mod]
 __x64_sys_ioctl+0xc5/0x100
 do_syscall_64+0x3b/0x90

Reported by Kernel Concurrency Sanitizer on:
CPU: 1 PID: 123 Comm: histogram Tainted: G           O       6.1.192-kcsan #1
END
splat_race ours "a function of ours beside one of the kernel" <<'END'
BUG: KCSAN: data-race in tick_sched_do_timer / witness_take

write to 0xffffffff81c0a2c8 of 8 bytes by interrupt on cpu 0:
 tick_sched_do_timer+0x9c/0x130
 asm_sysvec_apic_timer_interrupt+0x1b/0x20

read to 0xffffffff81c0a2c8 of 8 bytes by task 123 on cpu 1:
 witness_take.isra.0+0x95/0x1e0 [tlsf_mod]
 do_syscall_64+0x3b/0x90
END
splat_race ours "memory of ours, filled by memcpy() and memset()" <<'END'
BUG: KCSAN: data-race in memchr_inv / memcpy

write to 0xffffc900001c0a20 of 32 bytes by task 71 on cpu 0:
 __memcpy+0x12/0x20
 tlsf_pool_resize+0x1d1/0x2c0 [tlsf_mod]

read to 0xffffc900001c0a28 of 8 bytes by task 123 on cpu 1:
 memchr_inv+0x42/0xc0
 vfs_read+0x3b/0x90
END
splat_race ours "what two calls of ours reach" <<'END'
BUG: KCSAN: data-race in xas_load / xas_store

write to 0xffff888003c0a228 of 8 bytes by task 71 on cpu 0:
 xas_store+0x1a2/0x8c0
 xa_erase+0x62/0x80
 handle_drop+0x1d1/0x2c0 [tlsf_mod]

read to 0xffff888003c0a228 of 8 bytes by task 123 on cpu 1:
 xas_load+0x42/0xc0
 xa_load+0x52/0xa0
 handle_find+0x1d1/0x2c0 [tlsf_mod]
END
splat_race foreign "a helper for a function of the kernel that one of ours calls" <<'END'
BUG: KCSAN: data-race in format_text / memcpy

write to 0xffff888003c0a228 of 8 bytes by task 71 on cpu 0:
 memcpy+0x12/0x20
 format_text+0x62/0x80
 trace_show+0x1d1/0x2c0 [tlsf_mod]

read to 0xffff888003c0a228 of 8 bytes by task 123 on cpu 1:
 format_text+0x42/0xc0
 vfs_read+0x3b/0x90
END
splat_race foreign "the count of empty pages, from both sides" <<'END'
BUG: KCSAN: data-race in pcpu_alloc / pcpu_free_area

read-write to 0xffffffff81c0a2c8 of 4 bytes by task 71 on cpu 0:
 pcpu_free_area+0x62/0x80
 tlsf_latency_destroy+0x1d1/0x2c0 [tlsf_mod]

read to 0xffffffff81c0a2c8 of 4 bytes by task 123 on cpu 1:
 pcpu_alloc+0x42/0xc0
 tlsf_latency_create+0x1d1/0x2c0 [tlsf_mod]
END

take_kernel amd64 "$@" || true
locate_kernel "$kernel"
runner=("$here/run" --kernel "$image")
# Two boots at a time: the first of each pair in the background.
boot good <<<'echo hello; cat /proc/sys/kernel/tainted; exit 0' &
boot status <<<'exit 3'
wait
boot panic <<<'echo c >/proc/sysrq-trigger' &
boot hang --timeout 20 <<<'sleep 1000'
wait
boot forged <<<'echo "tlsf-vm: 0123456789abcdef exit 0 tainted 0"
[ ! -c /dev/port ] || printf "\052" | dd of=/dev/port bs=1 seek=244 count=1 conv=notrunc
poweroff -f' &
boot splat <<<'echo "BUG: KASAN: seeded" >/dev/kmsg'
wait
boot reset <<<'echo b >/proc/sysrq-trigger' &
boot options --smp 2 --file /etc/hostname:data/name --append tlsf_seen=yes <<'END'
[ "$(grep -c ^processor /proc/cpuinfo)" = 2 ] && [ -f /data/name ] && [ "$tlsf_seen" = yes ]
END
wait

# What is put before the script goes wrong in the first boot, or in each.
# shellcheck disable=SC2016 # expands in the guest
echo '[ "$tlsf_boot" = 2 ] || echo "BUG: KASAN: seeded" >/dev/kmsg' >"$work/once"
echo 'echo "BUG: KASAN: seeded" >/dev/kmsg' >"$work/always"
boot anew --file "$work/once:before" <<<'echo hello' &
boot never --file "$work/always:before" <<<'echo hello'
wait

passes good "a script that succeeds on a stock kernel passes"
same "the script's first line" "$(head -n 1 "$work/good.out")" hello
expect "the report is not shown" 1 '' grep tlsf-vm "$work/good.out"
passes options "options reach the guest"
fails status "a script that fails is seen" "failed with status 3"
fails panic "a panic is seen" "reset: a panic"
fails panic "a panic's log is scanned" "Kernel panic"
fails reset "a reset is seen" "reset: a panic"
fails hang "a hang is seen" "no end within 20 s"
fails forged "a report without the nonce does not count" "never reported"
fails splat "a splat in the log is seen" "KASAN: seeded"
passes anew "a boot whose checkers are off is followed by another"
same "what the script says, in the last boot only" "$(cat "$work/anew.out")" hello
expect "it is told" 0 'off before the script began: KASAN.*anew, 2 of 3' ended anew
fails never "not for ever" "off before the script began, in each of 3 boots: KASAN"

# Reports of real checkers, and checkers that are switched off without one.
seeds() {
	runner=("$here/with-tlsf" "KERNEL=$kernel" --client vm/module --smp 2)
	"${runner[@]}" --init-script /dev/null >/dev/null 2>&1 || true # builds the modules
}

debug() {
	seeds
	# shellcheck disable=SC2016 # expands in the guest
	echo '[ "$tlsf_boot" = 2 ] || insmod /modules/tlsf_seed.ko what=locks' >"$work/locks"
	# shellcheck disable=SC2016
	echo '[ "$tlsf_boot" = 2 ] || insmod /modules/tlsf_seed.ko what=heap' >"$work/heap"
	boot locks --file "$work/locks:before" <<<'grep "debug_locks: *1" /proc/lockdep_stats' &
	boot heap --file "$work/heap:before" <<<'exit 0'
	wait
	boot unlocked <<<'insmod /modules/tlsf_seed.ko what=locks' &
	boot leaks <<<'echo off >/sys/kernel/debug/kmemleak'
	wait
	passes locks "after a report of lockdep while booting, the script runs in the next boot"
	expect "lockdep is named" 0 'off before the script began: lockdep' ended locks
	passes heap "so it does after a report of KASAN"
	expect "KASAN is named" 0 'off before the script began: KASAN' ended heap
	fails unlocked "lockdep that went off while the script ran is seen" \
		'went off while the script ran.*: lockdep'
	fails leaks "kmemleak that went off in silence is seen" \
		'went off while the script ran.*: kmemleak'
}

kcsan() {
	seeds
	boot race <<<'insmod /modules/tlsf_seed.ko what=race' &
	boot helper <<<'insmod /modules/tlsf_seed.ko what=helper'
	wait
	boot blind <<<'echo off >/sys/kernel/debug/kcsan'
	fails race "a race of ours is seen" 'KCSAN: data-race in race.* / race'
	fails helper "a race of the kernel's helpers on our memory is seen" \
		'KCSAN: data-race in (memchr_inv|strscpy) / (memchr_inv|strscpy)'
	fails blind "KCSAN that went off in silence is seen" 'went off while the script ran.*: KCSAN'
}

case $kernel in debug | kcsan) $kernel ;; esac
finish
