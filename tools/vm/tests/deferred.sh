#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Frees that were deferred come back when a request would fail for want of them, also when
# they come while it is failing, and by themselves where nobody asks.
#
# Room: vm. tlsf_deferred.ko does and judges it.
# shellcheck source=tools/vm/tests/module.sh
. /bin/module.sh

# come_back NAME [PARAMETER]
come_back() {
	insmod /modules/tlsf_deferred.ko ${2:+"$2"} >/tmp/why 2>&1
	status=$?
	if grep -q 'not supported' /tmp/why; then
		skip "$1" "the kernel does not let a probe be set there"
	else
		expect "$1" 0 '' [ "$status" = 0 ]
		[ "$status" = 0 ] || sed 's/^/# /' /tmp/why
	fi
	rmmod tlsf_deferred 2>/dev/null
}

load
come_back "deferred frees come back"
echo 0 >/sys/module/tlsf_mod/parameters/latency
come_back "so do those that come while a request fails" late=1
finish
