#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Loads the pool from many threads and from interrupts at once, on four processors.
#
# Room: harness. Usage: stress.sh [FLAVOUR=amd64] [OPERATIONS=100000]. Prints KTAP.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tools/build/lib.sh
. "$here/../build/lib.sh"

flavour=amd64
case ${1:-} in FLAVOUR=*) flavour=${1#*=} && shift ;; esac
exec "$here/with-tlsf" "FLAVOUR=$flavour" --smp 4 --mem 1G --timeout 900 \
	--append "tlsf_ops=${1:-100000}" --init-script "$here/guest/stress.sh" \
	--log "$tlsf_root/build/test/stress-${flavour//\//-}.log"
