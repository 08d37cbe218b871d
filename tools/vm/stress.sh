#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Races on purpose, on four processors: see guest/stress.sh.
#
# Room: vm. Usage: stress.sh [KERNEL=amd64] [OPERATIONS [PROCESSORS]]. Prints KTAP.
# A kernel with checkers gets two: on a busy host four do little but serve their timers.
set -euo pipefail
. "$(dirname "$0")/../build/lib.sh"
. "$here/../build/arch.sh"

take_kernel amd64 "$@" && shift
arch_select "$(arch_of_name "$kernel")"
smp=${2:-$((slow > 1 ? 2 : 4))}
[ "$smp" -gt "$(nproc)" ] || arch_fair=1
ops=${1:-$((1200000 / slow / slow / arch_fair))}
options=()
# Our KCSAN kernel watches as long and as often as short tests need. A long run has the
# kernel's own delays, at a fifth of as many accesses.
[ "$kernel" != kcsan ] || [ "$ops" -le 100000 ] ||
	options+=(--append "kcsan.skip_watch=20000 kcsan.udelay_task=80 kcsan.udelay_interrupt=20")
exec "$here/with-tlsf" "KERNEL=$kernel" --client vm/module --smp "$smp" --mem 1G \
	--timeout $((slow * (600 + ops / 10000))) --append "tlsf_ops=$ops" \
	--init-script "$here/guest/stress.sh" --file "$here/guest/kmemleak.sh" \
	--file "$here/../build/ktap.sh" \
	"${options[@]}" --log "$tlsf_root/build/test/stress-$kernel_file.log"
