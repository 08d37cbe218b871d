#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Prints image, build directory and tree of a stock kernel of another Debian release.
#
# Room: build. Usage: suite.sh KERNEL   SUITE/NAME, e.g. trixie/amd64; see kernel.sh.
# Newer headers need the tools of their own Debian, so modules are built in a small tree
# of it, which is made once and kept in the cache: a compiler, and the kernel's headers.
# Which version a suite has is asked of its packages linux-headers-NAME; nothing here
# names one.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

suite=${1%%/*} name=${1#*/}
base=${suite%-backports}
tree=$tlsf_cache/tree/$base/tree
found=$tlsf_cache/kernel/${suite}_$name

# This machine's sources with the suite's name for its own. $1 directory to write into.
write_sources() {
	local file
	file=$(debian_sources) || return 1
	sed "s/\b$(debian_codename)\b/$base/g" "$file" >"$1/debian.${file##*.}"
	grep -E '^(deb|URIs)' "$file" | grep -oE 'https?://[^] ]+' | head -n 1 |
		sed "s/.*/deb & $base-backports main/" >"$1/backports.list"
}

# Perl and Python run kernel-doc, which kbuild calls at W=1.
bootstrap() {
	say "making a tree of Debian $base: half a minute, once"
	write_sources "$1" &&
		as_root mmdebstrap --quiet --variant=minbase "$base" "$1/tree" \
		--include=make,gcc,kmod,perl,python3-minimal "$1"/debian.* "$1/backports.list" &&
		as_root mkdir "$1/tree/debs" &&
		as_root cp -L /etc/resolv.conf "$1/tree/etc/"
}

# apt-get or apt-cache in the tree, where the suite's packages go before its base's.
apt() {
	local options=(-qq -o APT::Sandbox::User=root -o Dpkg::Use-Pty=0 -o Dir::Log=/dev/null)
	[ "$suite" = "$base" ] || options+=(-o "APT::Default-Release=$suite")
	in_debs "$1" "${options[@]}" "${@:2}"
}

in_debs() {
	as_root chroot "$tree" env DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 \
		PATH=/usr/sbin:/usr/bin:/sbin:/bin sh -c 'cd /debs && exec "$@"' sh "$@"
}

# "depends PACKAGE PATTERN": those it depends on whose names begin so.
depends() {
	apt apt-cache depends --important "$1" |
		awk -v p="^($2)" '/Depends:/ && $NF ~ p { print $NF }' | sort -u
}

download() {
	as_root find "$tree/debs" -name '*.deb' -delete
	apt apt-get download "$@"
}

# Unpacked, not installed: some headers depend on an image, and images on all that boots
# a machine. What one builds with is installed.
get_headers() {
	local package=$1 tools headers
	mapfile -t tools < <(depends "$package" 'linux-kbuild-|gcc-')
	mapfile -t headers < <(depends "$package" 'linux-headers-')
	apt apt-get install -y --no-install-recommends "${tools[@]}" >/dev/null
	download "$package" "${headers[@]}"
	# shellcheck disable=SC2016 # expands in the tree
	in_debs sh -ec 'for deb in *.deb; do dpkg -x "$deb" /; done'
}

# The kernel itself moved from linux-image-* to linux-binary-* after 6.12.
get_image() {
	local dir=$1 release=$2 package
	package=$(depends "linux-image-$release" 'linux-binary-')
	download "${package:-linux-image-$release}" &&
		dpkg-deb --fsys-tarfile "$tree"/debs/*.deb |
		tar -x -C "$dir" --wildcards --transform "s,.*,vmlinuz-$release," '*/vmlinuz*'
}

fetch() {
	local package release version
	apt apt-get update
	package=$(depends "linux-headers-$name" 'linux-headers-')
	[ -n "$package" ] || die "Debian $suite has no linux-headers-$name"
	release=${package#linux-headers-}
	version=$(apt apt-cache show --no-all-versions "$package" | sed -n 's/^Version: //p')
	say "Debian $suite has linux $release, $version"
	[ -e "$tree/lib/modules/$release/build/Makefile" ] || get_headers "$package"
	cached "$tlsf_cache/kernel/$suite-${release}_$version" get_image "$release"
	ln -sfn "$suite-${release}_$version" "$found"
}

print_found() {
	local image
	image=$(echo "$found"/vmlinuz-*)
	printf '%s\t/lib/modules/%s/build\t%s\n' "$image" "${image##*/vmlinuz-}" "$tree"
}

cached "$tlsf_cache/tree/$base" bootstrap
take_turn "$tlsf_cache/tree/$base.apt.lock"
if [ ! -e "$found" ] || [ "${TLSF_REFRESH:-0}" = 1 ]; then
	fetch
fi
print_found
