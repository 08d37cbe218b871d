#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Head to head: tlsf and the kernel's own allocators in a stock Debian kernel, in one run.
#
# Room: bench. Usage: run.sh [KERNEL=amd64] [OPTION]...   kernels: see build/kernel.sh
#   --trace FILE   recorded trace (default tools/traces/debian-boot.trace.zst)
#   --random OPS   operations of the random workload (default 100000)
#   --limit OPS    only the first operations of the trace
#   --out DIR      CSV, guest's output, log (default build/bench/RELEASE, build/bench.csv)
#   --fault N      afterwards, once more with a fault that must be noticed: module/bench.c
# One guest instruction is one cycle. The kernel is told not to zero what it allocates,
# which is what the rows with +zero are for.
set -euo pipefail
. "$(dirname "$0")/../build/lib.sh"

trace=$tlsf_root/tools/traces/debian-boot.trace.zst random=100000
limit=1000000000 out="" fault=0
take_kernel amd64 "$@" && shift
while [ $# -gt 0 ]; do
	[ $# -ge 2 ] || die "$1 needs a value; see the top of $0"
	case $1 in
	--trace) trace=$2 ;;
	--random) random=$2 ;;
	--limit) limit=$2 ;;
	--out) out=$2 ;;
	--fault) fault=$2 ;;
	*) die "unknown option '$1'; see the top of $0" ;;
	esac
	shift 2
done
locate_kernel "$kernel"
csv=$(table_of bench)
[ -z "$out" ] || csv=$out/bench.csv
out=${out:-$tlsf_root/build/bench/$release}

workloads() {
	rm -rf "$out/workloads"
	mkdir -p "$out/workloads"
	"$here/workload.py" "$out/workloads/$(basename "${trace%%.trace*}")" \
		--trace "$trace" --limit "$limit"
	"$here/workload.py" "$out/workloads/random" --random "$random"
	echo "$fault" >"$out/fault"
}

workloads
"$here/../vm/with-tlsf" "KERNEL=$kernel" --client bench/module --icount --timeout 600 \
	--append init_on_alloc=0 \
	--file "$out/workloads:bench/workloads" --file "$out/fault:bench/fault" \
	--init-script "$here/guest.sh" --log "$out/guest.log" >"$out/measured" ||
	{ cat "$out/measured" >&2 && exit 1; }
exec "$here/report.py" "$out/measured" --csv "$csv"
