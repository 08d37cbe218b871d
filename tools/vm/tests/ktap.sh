# shellcheck shell=dash
# SPDX-License-Identifier: GPL-2.0-only
#
# What the shell tests share: KTAP, and looks at the module from outside.
#
# Room: harness (guest). Sourced by the tests, which are busybox sh; not executable, so
# that it is not taken for one of them. A test ends with "finish".
count=0 failed=0
module=/modules/tlsf_mod.ko
parameters=/sys/module/tlsf_mod/parameters
debugfs=/sys/kernel/debug/tlsf/default

# "expect NAME CODE PATTERN COMMAND...": the command exits with CODE and prints a line
# that matches PATTERN, an extended regular expression; '' for whatever it prints.
expect() {
	name=$1 code=$2 pattern=$3 got=0
	shift 3
	count=$((count + 1))
	"$@" >/tmp/out 2>&1 || got=$?
	if [ "$got" = "$code" ] && { [ -z "$pattern" ] || grep -Eq -e "$pattern" /tmp/out; }; then
		echo "ok $count $name"
	else
		echo "not ok $count $name"
		echo "# $*: exit $got, expected $code and /$pattern/; output:"
		sed 's/^/#   /' /tmp/out
		failed=$((failed + 1))
	fi
}

# "holds NAME COMMAND...": the command succeeds.
holds() {
	name=$1
	shift
	expect "$name" 0 '' "$@"
}

# "same NAME GOT WANT"
same() {
	expect "$1: $2 is $3" 0 '' [ "$2" = "$3" ]
}

skip() {
	count=$((count + 1))
	echo "ok $count $1 # SKIP $2"
}

# Can tlsf_contexts.ko, which is not loaded, send NMIs here? A failure is for the test.
nmis_can_be_sent() {
	insmod /modules/tlsf_contexts.ko nmi=1 2>/tmp/out || ! grep -q 'not supported' /tmp/out
	set -- $?
	rmmod tlsf_contexts 2>/dev/null
	return "$1"
}

# The module is left loaded, as it was found.
finish() {
	[ -d /sys/module/tlsf_mod ] || insmod "$module"
	echo "1..$count"
	exit $((failed > 0))
}

unload() {
	[ ! -d /sys/module/tlsf_mod ] || rmmod tlsf_mod
}

# The module afresh, with the parameters given.
load() {
	unload && insmod "$module" "$@"
}

# Neither device nor module nor views.
nothing_left() {
	[ ! -e /dev/tlsf ] && [ ! -d /sys/module/tlsf_mod ] && [ ! -d "${debugfs%/*}" ] &&
		[ ! -d /sys/kernel/tracing/events/tlsf ]
}

# "json NAME": the first number of that name on standard input
json() {
	tr '{,' '\n' | sed -n "s/^ *\"$1\": *\([0-9]*\).*/\1/p" | head -n 1
}

# "figure NAME": a counter, as the ioctl tells it.
figure() {
	tlsf stat --json | json "$1"
}

# "recorded OP PART": operations in a histogram, as the ioctl tells it.
recorded() {
	tlsf hist --op "$1" --kind "$2" --json | json count
}

# "soon COMMAND...": the command succeeds within some seconds.
soon() {
	tries=100
	until "$@"; do
		[ $((tries -= 1)) -gt 0 ] || return 1
		sleep 0.1
	done
}

blocks_in_use() {
	[ "$(figure used_blocks)" -gt 50 ]
}

kill_child() {
	kill -9 "$1"
	wait "$1" 2>/dev/null
}

echo "KTAP version 1"
