#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Races on purpose, on four processors: see guest/stress.sh.
#
# Room: harness. Usage: stress.sh [FLAVOUR=amd64] [OPERATIONS]. Prints KTAP. A kernel with
# checkers gets two processors: on a busy host four do little but serve their timers.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tools/build/lib.sh
. "$here/../build/lib.sh"

flavour=amd64
case ${1:-} in FLAVOUR=*) flavour=${1#*=} && shift ;; esac
slow=$(slowness "$flavour")
ops=${1:-$((1200000 / slow))}
exec "$here/with-tlsf" "FLAVOUR=$flavour" --clients --smp $((slow > 1 ? 2 : 4)) --mem 1G \
	--timeout $((slow * (600 + ops / 10000))) --append "tlsf_ops=$ops" \
	--init-script "$here/guest/stress.sh" \
	--log "$tlsf_root/build/test/stress-${flavour//\//-}.log"
