#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Runs make demo and make test in a fresh Debian with only git and make in it.
#
# Room: build. Usage: bare.sh [root|user [VERB]...]   default: root demo demo test test;
# user: an ordinary user with sudo. Needs root itself, for chroot. What is committed is
# cloned and tested; the packages come from where this machine's own do. Nothing of the
# machine's cache is used, so it takes a quarter of an hour.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

who=${1:-root}
suite=bookworm
[ $# -gt 1 ] && verbs=("${@:2}") || verbs=(demo demo test test)

bootstrap() {
	say "building a bare $suite"
	mmdebstrap --quiet --variant=minbase --include=git,make,ca-certificates "$suite" \
		"$1/tree" "$(debian_sources)" && cp -L /etc/resolv.conf "$1/tree/etc/"
}

add_user() {
	chroot "$tree" sh -ec 'apt-get -qq update && apt-get -qq install -y sudo >/dev/null
		useradd --create-home --home-dir /srv/tester --shell /bin/bash tester
		echo "tester ALL=(ALL) NOPASSWD: ALL" >/etc/sudoers.d/tester'
}

# The clone belongs to root, which git has to be told is all right.
script() {
	echo 'set -e; cd; git config --global safe.directory /tlsf.git'
	echo 'git clone -q /tlsf.git tlsf; cd tlsf'
	printf 'time make %s\n' "${verbs[@]}"
}

inside() {
	chroot --userspec="$1:$1" "$tree" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin \
		HOME="$2" LC_ALL=C.UTF-8 bash -c "$(script)"
}

clean_up() {
	umount "$tree/proc" 2>/dev/null || true
	rm -rf --one-file-system "$tree"
}

[ "$(id -u)" = 0 ] || die "needs root, for chroot: sudo make bare-test"
cached "$tlsf_cache/bare/$suite" bootstrap
tree=$tlsf_cache/bare/run.$$
trap clean_up EXIT
cp -a "$tlsf_cache/bare/$suite/tree" "$tree"
git clone -q --bare "$tlsf_root" "$tree/tlsf.git"
case $who in
root) inside root /root ;;
user) add_user && inside tester /srv/tester ;;
*) die "usage: bare.sh [root|user [VERB]...]; got '$who'" ;;
esac
