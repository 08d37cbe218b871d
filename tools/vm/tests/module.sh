# shellcheck shell=dash
# SPDX-License-Identifier: GPL-2.0-only
#
# What the shell tests share beside KTAP: looks at the module from outside.
#
# Room: vm. In the guest. Sourced by the tests, which are busybox sh; not executable, so
# that it is not taken for one of them.
# shellcheck source=tools/build/ktap.sh
. /bin/ktap.sh

module=/modules/tlsf_mod.ko
parameters=/sys/module/tlsf_mod/parameters
debugfs=/sys/kernel/debug/tlsf/default

# "insert CLIENT [PARAMETER]...": status 77 where this kernel or machine cannot do what it does.
insert() {
	client=$1
	shift
	insmod "/modules/$client.ko" "$@" >/tmp/out 2>&1 && return
	sed 's/^/# /' /tmp/out
	! grep -q 'not supported' /tmp/out || return 77
	return 1
}

# Can tlsf_contexts.ko, which is not loaded, send NMIs here? A failure is for the test.
nmis_can_be_sent() {
	insert tlsf_contexts nmi=1
	set -- $?
	rmmod tlsf_contexts 2>/dev/null
	[ "$1" != 77 ]
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

# "figure NAME": a counter, as the ioctl tells it.
figure() {
	tlsf stat --get "counters/$1"
}

# "view NAME": the same, as debugfs tells it.
view() {
	awk -v name="$1" '$1 == name { print $2 }' "$debugfs/stats"
}

# "recorded OP PART": operations in a histogram, as the ioctl tells it.
recorded() {
	tlsf stat --get "latency/$1/$2/count"
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
