#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Static bounds of tlsf_mod.ko for one kernel beside what was measured there at most.
#
# Room: wcet. Usage: run.sh [KERNEL=amd64] [WCET-OPTION]...   See ../build/kernel.sh for
# the kernels, and wcet.py --help. Boots the kernel for the measurement,
# with one instruction to a cycle. Writes build/wcet.csv, or build/wcet-KERNEL.csv.
set -euo pipefail
. "$(dirname "$0")/../build/lib.sh"

take_kernel amd64 "$@" && shift
locate_kernel "$kernel"
module=$tlsf_root/build/modules/$release
work=$tlsf_root/build/wcet/$kernel_file

mkdir -p "$work"
take_turn "$work/lock"
"$here/../build/modules.sh" --tree "$tree" "$kdir" "$module" >&2
"$here/../build/client.sh" --tree "$tree" "$kdir" "$module" "$here/measure" "$work/measure" >&2
"$here/../vm/with-tlsf" "KERNEL=$kernel" --icount --mem 1600M --timeout 400 \
	--module "$work/measure/wcet_measure.ko" --init-script "$here/guest.sh" \
	--log "$work/guest.log" >"$work/measured"
exec "$here/wcet.py" "$module/tlsf_mod.ko" --kernel "$image" --measured "$work/measured" \
	--csv "$(table_of wcet)" --ceilings "$here/ceilings.csv" "$@"
