#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Prints image and build directory of a kernel of our own, building it when needed.
#
# Room: build. Usage: own.sh NAME   a configuration in tools/vm/config; see kernel.sh.
# From Debian's source, with all off that the configuration does not name. Kept in the
# cache, keyed by source version, configuration and compiler.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tools/build/lib.sh
. "$here/lib.sh"

name=$1
config=$tlsf_root/tools/vm/config
[ -f "$config/$name" ] || die "no kernel '$name'; there are: $(cd "$config" && echo *)"
parts=("$config"/{guest,x86_64,"$name"})

kmake() { make -s -C "$source" O="$dir" "$@" >&2; }

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
		cp "$dir/arch/x86/boot/bzImage" "$dir/vmlinuz-$(<"$dir/include/config/kernel.release")" &&
		find "$dir" -name '*.[oa]' ! -path "$dir/scripts/*" -delete
}

source=$("$here/source.sh")
key=$(cat "${parts[@]}" <(gcc -dumpfullversion) | sha1sum | cut -c 1-12)
target=$tlsf_cache/own/$name-${source##*_}-$key
cached "$target" build
printf '%s\t%s\t\n' "$target"/vmlinuz-* "$target"
