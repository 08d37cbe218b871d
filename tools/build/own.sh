#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Prints image and build directory of a kernel of our own, building it when needed.
#
# Room: build. Usage: own.sh NAME   a configuration in tools/vm/config; see kernel.sh.
# From Debian's source, with all off that the configuration does not name. Kept in the
# cache, keyed by source version, configuration and compiler. Another architecture's is
# built in a tree, which is printed too.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
. "$here/arch.sh"

name=$1
config=$tlsf_root/tools/vm/config
[ -f "$config/$name" ] || die "no kernel '$name'; there are: $(cd "$config" && echo *)"
arch_select "$(arch_of_name "$name")"
parts=("$config"/{guest,"$arch_name"})
[ "$name" = "$arch_name" ] || parts+=("$config/$name")

kmake() {
	in_tree "$arch_tree" make -s -C "$source" O="$dir" ARCH="$arch_name" \
		CROSS_COMPILE="$arch_prefix" "$@" >&2
}

# So that modules are built for it as for any other kernel: make -C DIRECTORY M=...
name_arch() {
	sed -i "1a export ARCH := $arch_name\\nexport CROSS_COMPILE := $arch_prefix" "$1"
}

# Kconfig drops without a word what depends on something that is off.
all_taken() {
	local line missing=()
	while read -r line; do
		grep -qxF "$line" "$dir/.config" || missing+=("$line")
	done < <(cat "${parts[@]}" | grep ^CONFIG_)
	[ ${#missing[@]} = 0 ] || die "the configuration '$name' did not get: ${missing[*]}"
}

# Afterwards modules need headers, tools and symbols, but none of the objects.
build() {
	local dir=$1
	say "building the kernel '$name': some minutes, once"
	cat "${parts[@]}" >"$dir/wanted" &&
		kmake KCONFIG_ALLCONFIG="$dir/wanted" allnoconfig && all_taken &&
		kmake -j"$(nproc)" all &&
		cp "$dir/$arch_image" "$dir/vmlinuz-$(<"$dir/include/config/kernel.release")" &&
		name_arch "$dir/Makefile" &&
		find "$dir" -name '*.[oa]' ! -path "$dir/scripts/*" -delete
}

source=$("$here/source.sh")
key=$(cat "${parts[@]}" <(in_tree "$arch_tree" "${arch_prefix}gcc" -dumpfullversion) | sha1sum | cut -c 1-12)
target=$tlsf_cache/own/$name-${source##*_}-$key
cached "$target" build
printf '%s\t%s\t%s\n' "$target"/vmlinuz-* "$target" "$arch_tree"
