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
	insert tlsf_deferred ${2:+"$2"}
	result $? "$1"
	rmmod tlsf_deferred 2>/dev/null
}

load
come_back "deferred frees come back"
echo 0 >/sys/module/tlsf_mod/parameters/latency
come_back "so do those that come while a request fails" late=1
finish
