#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Prints the path of a tree of this machine's Debian in which to build for arm64.
#
# Room: build. Usage: cross.sh. See in_tree in lib.sh. Debian's cross compilers cannot be
# installed beside gcc-multilib, so they are in a small tree, with what kernels, modules
# and static programs need, and arm64's busybox. Kept in the cache, keyed by the packages.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

# Perl and Python run kernel-doc, which kbuild calls at W=1.
packages=(make gcc libc6-dev flex bison bc perl python3-minimal kmod gcc-aarch64-linux-gnu
	libc6-dev-arm64-cross gcc-arm-linux-gnueabihf libc6-dev-armhf-cross
	libjansson-dev:arm64 libzstd-dev:arm64 busybox-static:arm64)

bootstrap() {
	local sources
	say "making a tree to build for arm64 in: two minutes, once"
	sources=$(debian_sources) &&
		as_root mmdebstrap --quiet --variant=minbase \
		--architectures="$(dpkg --print-architecture),arm64" \
		--include="${packages[*]}" "$(debian_codename)" "$1/tree" "$sources"
}

command -v mmdebstrap >/dev/null || die "no mmdebstrap; run: tools/build/deps.sh arm64"
target=$tlsf_cache/tree/arm64-$(sha1sum <<<"${packages[*]}" | cut -c 1-12)
cached "$target" bootstrap
echo "$target/tree"
