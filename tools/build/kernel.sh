#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Prints where a kernel is: the file to boot, or with --all also the directory that modules
# are built against and the tree in which to build them (empty for this machine).
#
# Room: build. Usage: kernel.sh [--all] [KERNEL]
#   KERNEL  amd64 (default), rt-amd64   stock Debian kernel, headers installed here
#           SUITE/amd64, SUITE/rt-amd64 of another Debian, e.g. trixie-backports/rt-amd64
#           debug, kcsan                our own, with checkers; built when needed
#           arm64                       our own, for another architecture: see arch.sh
# Images are unpacked into the cache and never installed. What the cache has is used, so
# that nothing is asked of the network twice; with TLSF_REFRESH=1 the version that Debian
# serves today is.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

fields=1
[ "${1:-}" != --all ] || { fields=1-3 && shift; }
kernel=${1:-amd64}
case $kernel in
*/*) from=suite.sh ;;
amd64 | rt-amd64) from=stock.sh ;;
*) from=own.sh ;;
esac
"$here/$from" "$kernel" | cut -f $fields
