#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Prints a stock Debian kernel's image and build directory, of the release that runs here.
#
# Room: build. Usage: stock.sh KERNEL   amd64 or rt-amd64; see kernel.sh.
# The image is downloaded and unpacked into the cache, keyed by package name and
# version; it is never installed. The newest installed headers whose image is in the
# cache win, unless TLSF_REFRESH=1.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

name=$1

image_dir() { echo "$tlsf_cache/kernel/linux-image-$1_$2"; }

# Releases with installed headers, newest first.
releases() {
	local dir
	for dir in /lib/modules/*/build; do
		[ -d "$dir" ] && basename "$(dirname "$dir")"
	done | grep -E "^[0-9.]+[-+](deb)?[0-9]+-$name\$" | sort -rV
}

print_cached() {
	local release version image
	while read -r release; do
		version=$(dpkg-query -W -f '${Version}' "linux-headers-$release") || continue
		image=$(image_dir "$release" "$version")/boot/vmlinuz-$release
		[ -f "$image" ] && printf '%s\t/lib/modules/%s/build\t\n' "$image" "$release" && return 0
	done < <(releases)
	return 1
}

# Only ./boot: the modules are 400 MB, and the harness needs none of them.
unpack_boot() {
	local dir=$1 package=$2
	say "fetching $package"
	(cd "$dir" && apt-get download -qq -o APT::Sandbox::User=root "$package") &&
		dpkg-deb --fsys-tarfile "$dir"/*.deb | tar -x -C "$dir" ./boot &&
		rm "$dir"/*.deb
}

# The image and the headers must be of one version, so that modules load.
fetch() {
	local image release version
	image=$(resolve_meta "linux-image-$name" linux-image-)
	[ -n "$image" ] || return 1
	release=${image#linux-image-}
	version=$(apt-cache show --no-all-versions "$image" | sed -n 's/^Version: //p')
	cached "$(image_dir "$release" "$version")" unpack_boot "$image" || return 1
	[ "$(dpkg-query -W -f '${Version}' "linux-headers-$release" 2>/dev/null)" = "$version" ] ||
		as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q \
			--no-install-recommends "linux-headers-$release" >&2
}

[ "${TLSF_REFRESH:-0}" = 1 ] || ! print_cached || exit 0
# Lists that were never fetched, or that name a version the mirror no longer has,
# fail here: fetch them once and try again.
(fetch) || { as_root apt-get update -q >&2 && (fetch); } ||
	die "cannot get linux-image-$name with apt-get; is the network there?"
print_cached
