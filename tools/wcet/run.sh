#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Static bounds of tlsf_mod.ko for one kernel beside what was measured there at most.
#
# Room: wcet. Usage: run.sh [FLAVOUR=KERNEL] [WCET-OPTION]...   See ../build/kernel.sh for
# the kernels, default amd64, and wcet.py --help. Boots the kernel for the measurement,
# with one instruction to a cycle. Writes build/wcet.csv, or build/wcet-KERNEL.csv.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tools/build/lib.sh
. "$here/../build/lib.sh"

kernel=amd64
case ${1:-} in FLAVOUR=*) kernel=${1#*=} && shift ;; esac
place=$("$here/../build/kernel.sh" --all "$kernel")
IFS=$'\t' read -r image kdir tree <<<"$place"
module=$tlsf_root/build/modules/${image##*/vmlinuz-}
work=$tlsf_root/build/wcet/${kernel//\//-}
csv=$tlsf_root/build/wcet.csv
[ "$kernel" = amd64 ] || csv=$tlsf_root/build/wcet-${kernel//\//-}.csv

mkdir -p "$work"
exec {lock}>"$work/lock"
flock "$lock"
"$here/../build/modules.sh" --tree "$tree" "$kdir" "$module" >&2
"$here/../build/client.sh" --tree "$tree" "$kdir" "$module" "$here/measure" "$work/measure" >&2
"$here/../vm/with-tlsf" "FLAVOUR=$kernel" --icount --mem 1600M --timeout 400 \
	--module "$work/measure/wcet_measure.ko" --init-script "$here/guest.sh" \
	--log "$work/guest.log" >"$work/measured"
exec "$here/wcet.py" "$module/tlsf_mod.ko" --kernel "$image" --measured "$work/measured" \
	--csv "$csv" --ceilings "$here/ceilings.csv" "$@"
