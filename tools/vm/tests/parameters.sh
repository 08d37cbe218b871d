#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# latency= and the quotas, as given at load.
#
# Room: vm. Changing them later: latency_switch.c, quota.c.
# shellcheck source=tools/vm/tests/module.sh
. /bin/module.sh

# The exit status of busybox's insmod is the errno.
refuse() {
	errno=$1
	shift
	expect "$1 is refused" "$errno" '' insmod "$module" "$@"
	holds "$1 leaves nothing" nothing_left
}

latency_at_load() {
	holds "latency=0 loads" load latency=0
	same "latency=0 is shown" "$(cat $parameters/latency)" N
	holds "latency=0: operations go on" tlsf stress --ops 500
	same "latency=0: recorded" "$(recorded alloc hold)" 0
	holds "latency=1 loads" load latency=1
	holds "latency=1: operations go on" tlsf stress --ops 500 --resize-mix 0
	same "latency=1: recorded" "$(recorded alloc hold)" "$(figure allocs)"
	holds "latency alone is on" load latency
	same "latency alone is shown" "$(cat $parameters/latency)" Y
}

quotas_at_load() {
	holds "quotas load" load quota_blocks=7 quota_bytes=1000
	same "quota_blocks is shown" "$(cat $parameters/quota_blocks)" 7
	same "quota_bytes is shown" "$(cat $parameters/quota_bytes)" 1000
	holds "a quota can be changed, with a suffix" sh -c "echo 0x2k >$parameters/quota_bytes"
	same "quota_bytes is shown" "$(cat $parameters/quota_bytes)" 2048
	for value in 16E 18446744073726328832 17179869184G -1 '' 1KK ' 16M'; do
		dmesg -c >/dev/null
		expect "quota_bytes='$value' is refused" 1 '' sh -c "echo '$value' >$parameters/quota_bytes"
		expect "the log says why" 0 "tlsf: quota_bytes=$value refused: give bytes, up to" dmesg
	done
	same "a refused quota leaves the old one" "$(cat $parameters/quota_bytes)" 2048
	echo 1000 >$parameters/quota_bytes
	expect "a quota is felt" 0 'EDQUOT' tlsf stress --threads 1 --ops 500 \
		--size fixed:100
	holds "no more than the quota was held" [ "$(figure high_water)" -le 1000 ]
}

no_quotas_at_load() {
	holds "quotas of 0 load" load quota_blocks=0 quota_bytes=0
	holds "and are no limit" tlsf stress --ops 2000
	expect "info tells no limit of blocks" 0 '^quota, blocks +none' tlsf info
	expect "in JSON too" 0 '"quota_blocks": null' tlsf info --json
}

refused() {
	unload
	refuse 22 latency=2
	refuse 22 latency=maybe
	refuse 22 quota_blocks=-1
	refuse 34 quota_blocks=4294967296
	refuse 22 quota_bytes=much
	refuse 34 quota_bytes=16E
	refuse 22 pool_size=junk latency=1
}

latency_at_load
quotas_at_load
no_quotas_at_load
refused
holds "the default loads" load
finish
