#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Builds a guest's initramfs: busybox, vm/init, the script to run, and given files.
#
# Room: vm. Usage: initramfs.sh ARCH OUT SCRIPT [SRC:DEST]...   ARCH: build/arch.sh
# The same input gives the same bytes, so that an -icount boot repeats to the digit:
# names sorted, times and owners fixed, no compression (whose cost would depend on
# what the files hold). Programs must be static.
set -euo pipefail
. "$(dirname "$0")/../build/lib.sh"
. "$(dirname "$0")/../build/arch.sh"

add() {
	local src=$1 dest=$2/$3
	[ -e "$src" ] || die "no such file to put into the guest: $src"
	mkdir -p "$(dirname "$dest")"
	if [ -d "$src" ]; then cp -RL "$src" "$dest"; else cp -L "$src" "$dest"; fi
}

skeleton() {
	local dir=$1
	mkdir -p "$dir"/{bin,dev,etc,host,proc,sys,tmp}
	printf '%s\n' root:x:0:0::/:/bin/sh nobody:x:65534:65534::/:/bin/sh >"$dir/etc/passwd"
	printf '%s\n' root:x:0: tlsf:x:900: nogroup:x:65534: >"$dir/etc/group"
	add "$arch_busybox" "$dir" bin/busybox
	add "$tlsf_root/tools/vm/init" "$dir" init
}

pack() {
	find "$1" -exec touch -h -d @0 {} +
	(cd "$1" && find . -mindepth 1 | LC_ALL=C sort |
		cpio -o -H newc -R 0:0 --reproducible --quiet)
}

[ $# -ge 3 ] || die "usage: initramfs.sh ARCH OUT SCRIPT [SRC:DEST]..."
arch_select "$1"
out=$2 script=$3
shift 3
[ -n "$arch_busybox" ] || die "no busybox; run: make deps"
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
chmod 755 "$tree"
skeleton "$tree"
add "$script" "$tree" script
for file; do
	add "${file%%:*}" "$tree" "${file#*:}"
done
pack "$tree" >"$out"
