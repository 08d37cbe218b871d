#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Tests the harness itself: each way a run can go wrong must be told from success.
#
# Room: harness. Usage: selftest.sh [FLAVOUR=amd64]. Prints KTAP. Boots several guests, two at
# a time.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tools/build/lib.sh
. "$here/../build/lib.sh"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
count=0 status=0

# "result STATUS NAME DETAIL": one line of KTAP.
result() {
	count=$((count + 1))
	if [ "$1" = 0 ]; then
		echo "ok $count - $2"
	else
		echo "not ok $count - $2"
		echo "# ${3//$'\n'/$'\n'# }"
		status=1
	fi
}

# Every line a kernel might say must be found, each on its own.
splat_finds() {
	local line bad=0
	while IFS= read -r line; do
		printf '[    1.0] clean\n[    2.0] %s\n' "$line" >"$work/log"
		"$here/splat.sh" "$work/log" >/dev/null && bad=1 && break
	done
	result $bad "splat.sh finds every seeded line" "missed: ${line:-}"
}

splat_knows_purpose() {
	local ok=0
	printf '%s\n' '[1.0] tlsf: pool damaged: heap is damaged, found serving f+0x1/0x2: links' \
		'[1.0] tlsf: pool a: heap is damaged, found serving f+0x1/0x2 [tlsf_damage]: links' >"$work/log"
	"$here/splat.sh" "$work/log" >"$work/found" || ok=1
	sed -i 's/damaged:/other:/; s/tlsf_damage/other/' "$work/log"
	[ "$("$here/splat.sh" "$work/log" | wc -l)" = 2 ] || ok=1
	result $ok "splat.sh knows who damages a heap on purpose" "$(cat "$work/found")"
}

splat_starts_at_mark() {
	local ok=0
	printf '%s\n' 'WARNING: boot' 'tlsf-vm: script begins' 'fine' >"$work/log"
	"$here/splat.sh" "$work/log" >"$work/found" || ok=1
	echo 'WARNING: seeded' >>"$work/log"
	"$here/splat.sh" "$work/log" >>"$work/found" && ok=1
	result $ok "splat.sh looks behind the mark only" "$(cat "$work/found")"
}

# A report on standard input in whose stack a function of ours was only interrupted: no
# failure. With one that took part it is, and so it is when the end is missing.
splat_tells_races() {
	local ok=0
	cat >"$work/log"
	"$here/splat.sh" "$work/log" >"$work/found" && grep -q '^1 data races of' "$work/found" || ok=1
	sed 's/vfs_write+.*/& [tlsf_mod]/' "$work/log" >"$work/ours"
	"$here/splat.sh" "$work/ours" >>"$work/found" && ok=1
	head -n -1 "$work/log" >"$work/half"
	"$here/splat.sh" "$work/half" >>"$work/found" && ok=1
	result $ok "splat.sh tells our data races from the kernel's own" "$(cat "$work/found")"
}

# The guest's script comes on standard input; options of vm/run follow the name.
boot() {
	local name=$1
	shift
	cat >"$work/$name.sh"
	"$here/run" --kernel "$kernel" --init-script "$work/$name.sh" --log "$work/$name.log" \
		"$@" >"$work/$name.out" 2>"$work/$name.err" &&
		echo 0 >"$work/$name.status" || echo $? >"$work/$name.status"
}

passes() {
	local ok=0
	[ "$(cat "$work/$1.status")" = 0 ] || ok=1
	result $ok "$2" "$(cat "$work/$1.err")"
}

# Failed, and for the reason given.
fails() {
	local ok=1
	[ "$(cat "$work/$1.status")" != 0 ] && grep -qE "$3" "$work/$1.err" && ok=0
	result $ok "$2" "status $(cat "$work/$1.status"), wanted '$3': $(cat "$work/$1.err")"
}

echo "KTAP version 1"
splat_finds <<'END'
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

flavour=amd64
case ${1:-} in FLAVOUR=*) flavour=${1#*=} ;; esac
kernel=$("$here/../build/kernel.sh" "$flavour")
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

passes good "a script that succeeds on a stock kernel passes"
result "$([ "$(head -n 1 "$work/good.out")" = hello ]; echo $?)" \
	"the script's output arrives" "$(cat "$work/good.out")"
result "$(grep -q tlsf-vm "$work/good.out"; echo $((1 - $?)))" \
	"the report is not shown" "$(cat "$work/good.out")"
passes options "options reach the guest"
fails status "a script that fails is seen" "failed with status 3"
fails panic "a panic is seen" "reset: a panic"
fails panic "a panic's log is scanned" "Kernel panic"
fails reset "a reset is seen" "reset: a panic"
fails hang "a hang is seen" "no end within 20 s"
fails forged "a report without the nonce does not count" "never reported"
fails splat "a splat in the log is seen" "KASAN: seeded"
echo "1..$count"
exit $status
