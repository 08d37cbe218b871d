#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Installs the Debian packages that the named groups need, and only those missing.
#
# Room: build. Usage: deps.sh GROUP...   groups: build vm rt kunit check
#   kernels arm64 fuzz coverage bench lines plot wcet bare traces compdb
# Runs apt-get as root or through sudo. Nothing is done when all is there. Never
# installs a kernel image: stock.sh unpacks one into the cache instead.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

declare -A group=(
	[build]="gcc make libc6-dev linux-headers-amd64 kmod libjansson-dev libzstd-dev
		pkg-config"
	[vm]="qemu-system-x86 busybox-static cpio zstd python3"
	[rt]="linux-headers-rt-amd64"
	[kunit]="linux-source-6.1 xz-utils flex bison bc libelf-dev python3 busybox-static
		cpio"
	[check]="sparse clang clang-format g++ gcc-multilib codespell shellcheck mandoc
		linux-source-6.1 xz-utils perl"
	[fuzz]="clang libclang-rt-dev llvm python3"
	[coverage]="gcovr"
	[bench]="libjemalloc2 libmimalloc2.0 gnuplot-nox python3"
	[lines]="valgrind python3"
	[plot]="gnuplot-nox python3"
	[wcet]="binutils python3 python3-pyelftools"
	[kernels]="mmdebstrap"
	[arm64]="mmdebstrap linux-source-6.1 xz-utils qemu-system-arm cpio"
	[bare]="mmdebstrap"
	[compdb]="bear linux-source-6.1 xz-utils python3 gcc-multilib"
	[traces]="mmdebstrap e2fsprogs qemu-system-x86 zstd gcc libc6-dev libstb-dev python3"
)

wanted() {
	local name
	for name; do
		echo "${group[$name]}"
	done | tr -s ' \t\n' '\n' | LC_ALL=C sort -u
}

missing() {
	local installed
	installed=$(dpkg-query -W -f '${Package} ${db:Status-Status}\n' "$@" 2>/dev/null || true)
	printf '%s\n' "$@" | grep -vxF "$(sed -n 's/ installed$//p' <<<"$installed")" || true
}

# apt-get's lists may never have been fetched (a bare tree) or be too old to serve
# today's versions, so fetch them first; this runs only when something is missing. On a
# machine of one's own nothing is removed for it: gcc-multilib, for one, is not to be
# had together with Debian's cross compilers.
install() {
	local apt=(env DEBIAN_FRONTEND=noninteractive apt-get -qq -o Dpkg::Use-Pty=0) keep=--no-remove
	[ "${CI:-}" != true ] || keep=
	say "installing: $*"
	as_root "${apt[@]}" update
	as_root "${apt[@]}" install -y ${keep:+"$keep"} --no-install-recommends "$@" >/dev/null ||
		die "apt-get did not install them; see what is in the way: apt-get install $*"
}

command -v dpkg-query >/dev/null ||
	die "this is not Debian or a child of it; install by hand what deps.sh lists"
[ $# -gt 0 ] || die "usage: deps.sh GROUP...  groups: ${!group[*]}"
for name; do
	[ -n "${group[$name]:-}" ] || die "no group '$name'; there are: ${!group[*]}"
done
mapfile -t packages < <(wanted "$@")
mapfile -t absent < <(missing "${packages[@]}")
[ ${#absent[@]} = 0 ] || install "${absent[@]}"
