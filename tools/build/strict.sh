#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Tests that all modules build for a kernel without a word of warning at W=1.
#
# Room: build. Usage: strict.sh [KERNEL=amd64]   See kernel.sh. Prints KTAP.
# Built from nothing each time: a warning is only said when its file is compiled.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tools/build/lib.sh
. "$here/lib.sh"

take_kernel amd64 "$@" || true
locate_kernel "$kernel"
out=$tlsf_root/build/strict/$release
status=0

rm -rf "$out"
said=$("$here/modules.sh" --tree "$tree" "$kdir" "$out" W=1 KCFLAGS=-Werror 2>&1) || status=$?
[ -z "$said" ] || status=1
echo "KTAP version 1"
[ $status = 0 ] || printf 'not '
echo "ok 1 - the modules build for $release without a warning at W=1"
[ -z "$said" ] || echo "# ${said//$'\n'/$'\n'# }"
echo "1..1"
exit $status
