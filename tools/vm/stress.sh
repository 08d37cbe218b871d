#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Loads the pool from many threads and from interrupts at once, on four processors.
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
exec "$here/with-tlsf" "FLAVOUR=$flavour" --smp $((slow > 1 ? 2 : 4)) --mem 1G \
	--timeout $((600 * slow)) --append "tlsf_ops=${1:-$((100000 / slow))}" \
	--init-script "$here/guest/stress.sh" \
	--log "$tlsf_root/build/test/stress-${flavour//\//-}.log"
