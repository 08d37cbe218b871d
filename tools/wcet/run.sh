#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Static bounds of a stock Debian kernel's tlsf_mod.ko beside what was measured at most.
#
# Room: wcet. Usage: run.sh [FLAVOUR=amd64] [WCET-OPTION]...   See wcet.py --help.
# Boots the kernel for the measurement, with one instruction to a cycle. Writes
# build/wcet.csv, or build/wcet-FLAVOUR.csv for another flavour.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tools/build/lib.sh
. "$here/../build/lib.sh"

flavour=amd64
case ${1:-} in FLAVOUR=*) flavour=${1#*=} && shift ;; esac
image=$("$here/../build/kernel.sh" "$flavour")
release=${image##*/vmlinuz-}
kdir=/lib/modules/$release/build
module=$tlsf_root/build/modules/$release
work=$tlsf_root/build/wcet/$flavour
csv=$tlsf_root/build/wcet.csv
[ "$flavour" = amd64 ] || csv=$tlsf_root/build/wcet-$flavour.csv

mkdir -p "$work"
exec {lock}>"$work/lock"
flock "$lock"
"$here/../build/modules.sh" "$kdir" "$module" >&2
"$here/../build/client.sh" "$kdir" "$module" "$here/measure" "$work" >&2
"$here/../vm/with-tlsf" "FLAVOUR=$flavour" --icount --module "$work/wcet_measure.ko" \
	--init-script "$here/guest.sh" --log "$work/guest.log" >"$work/measured"
exec "$here/wcet.py" "$module/tlsf_mod.ko" --kernel "$image" --measured "$work/measured" \
	--csv "$csv" "$@"
