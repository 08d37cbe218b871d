# shellcheck shell=bash disable=SC2034
# SPDX-License-Identifier: GPL-2.0-only
#
# What the scripts of tools/ share: where things are, how to speak, how to put a
# finished directory into the cache.
#
# Room: build. Sourced by bash scripts under "set -euo pipefail".

here=$(cd "$(dirname "$0")" && pwd)
tlsf_root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
tlsf_cache=${TLSF_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/tlsf}

say() { printf '%s\n' "$*" >&2; }

die() {
	say "${0##*/}: $*"
	exit 1
}

# Run a command as root, through sudo when that is what there is.
as_root() {
	if [ "$(id -u)" = 0 ]; then
		"$@"
	elif command -v sudo >/dev/null; then
		sudo "$@"
	else
		die "this needs root, and there is no sudo; as root run: $*"
	fi
}

# The kernel that a script is for: "take_kernel DEFAULT "$@" && shift" takes KERNEL=NAME where
# that is the first argument. Sets kernel, kernel_file (its name for files) and slow. The
# names are those of kernel.sh.
take_kernel() {
	kernel=$1
	case ${2:-} in
	KERNEL=?*) kernel=${2#*=} ;;
	-*) ;;
	*=*) die "'$2' is not KERNEL=NAME" ;;
	esac
	kernel_file=${kernel//\//-} slow=$(slowness "$kernel")
	[[ ${2:-} == KERNEL=* ]]
}

# Where a kernel is: sets image, kdir and tree, see kernel.sh, and release.
locate_kernel() {
	local place
	place=$("$tlsf_root/tools/build/kernel.sh" --all "$1") || return 1
	IFS=$'\t' read -r image kdir tree <<<"$place"
	release=${image##*/vmlinuz-}
}

# The table of a measurement on that kernel: build/NAME.csv, or build/NAME-KERNEL.csv.
table_of() {
	local of=-$kernel_file
	[ "$kernel" != amd64 ] || of=
	echo "$tlsf_root/build/$1$of.csv"
}

# The tree to build in: "take_tree "$@" && shift 2" takes --tree TREE. Sets tree.
take_tree() {
	tree=""
	[ "${1:-}" = --tree ] && tree=$2
}

# Runs that write the same files take turns, until the script ends. $1 names a file for that.
take_turn() {
	local turn
	exec {turn}>"$1"
	flock "$turn"
}

# The package that a Debian meta package stands for: linux-image-amd64 depends on
# linux-image-6.1.0-NN-amd64. $1 meta package, $2 what the name starts with.
resolve_meta() {
	apt-cache depends --important "$1" 2>/dev/null |
		awk -v p="$2" '$1 == "Depends:" && index($2, p) == 1 { print $2; exit }'
}

# How many times longer than on a stock kernel a test may take. Ours has checkers.
slowness() {
	case $1 in
	debug) echo 6 ;;
	kcsan) echo 12 ;;
	*) echo 1 ;;
	esac
}

# Options of vm/run for a kernel. One with checkers goes without high resolution timers: on
# a busy host it says in a hard interrupt that one took long, on the console, whose lock
# lockdep forbids it there.
run_options() {
	[ "$(slowness "$1")" = 1 ] || echo --append=highres=off
}

# Carry out "$2 DIR ..." in a scratch directory and rename it to $1 when it
# succeeded, so that an interrupted run never leaves half a cache entry. Runs that
# want the same entry take turns. The fill function chains with &&: it may run where
# "set -e" is off.
cached() {
	local target=$1 fill=$2 scratch=$1.new lock
	shift 2
	[ ! -d "$target" ] || return 0
	mkdir -p "$(dirname "$target")"
	exec {lock}>"$target.lock"
	flock "$lock"
	if [ ! -d "$target" ]; then
		rm -rf "$scratch" && mkdir "$scratch" &&
			"$fill" "$scratch" "$@" && mv "$scratch" "$target" || return 1
	fi
	exec {lock}>&-
}

# This machine's Debian: bookworm.
debian_codename() { sed -n 's/^VERSION_CODENAME=//p' /etc/os-release; }

# The file that says where its packages come from, whatever it is called.
debian_sources() {
	local name
	name=$(debian_codename)
	{ grep -slE "^(deb|Suites:) ?(.* )?$name( |\$)" /etc/apt/sources.list \
		/etc/apt/sources.list.d/*.{list,sources} || true; } | head -n 1 | grep . ||
		die "nothing under /etc/apt says where the packages of Debian $name come from"
}

# "in_tree TREE COMMAND...": run a command in another Debian's tree, with the sources and
# the cache at the paths where they are here, as the user who calls; an empty TREE is this
# machine. The mounts are made where nobody else sees them, or, in a chroot, where nobody
# else looks.
in_tree() {
	local tree=$1 propagation=private
	shift
	[ -n "$tree" ] || { "$@"; return; }
	as_root unshare --mount true 2>/dev/null || propagation=unchanged
	# shellcheck disable=SC2016 # expands in the inner shell
	as_root unshare --mount --propagation "$propagation" sh -ec '
		tree=$1 root=$2 cache=$3 user=$4
		shift 4
		trap "umount \"$tree$cache\" \"$tree$root\" \"$tree/proc\"" EXIT
		mkdir -p "$tree$root" "$tree$cache"
		mount --bind "$root" "$tree$root"
		mount --bind "$cache" "$tree$cache"
		mount -t proc proc "$tree/proc"
		chroot --userspec="$user" "$tree" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin \
			LC_ALL=C.UTF-8 "$@"' sh "$tree" "$tlsf_root" "$tlsf_cache" \
		"$(id -u):$(id -g)" "$@"
}

# Have a client in directory $1 look up the versions of the symbols in $2 again when they
# are newer: kbuild does so only when the client's own code has changed.
forget_versions() {
	[ "$1/Module.symvers" -nt "$2" ] || rm -f "$1/Module.symvers"
}

# A chroot often has no /proc. Bash needs it for <(...), objtool and UML too.
if [ ! -e /proc/self/fd ]; then
	say "mounting /proc, which the builds need"
	as_root mount -t proc proc /proc
fi
