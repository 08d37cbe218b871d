#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Frees that were deferred come back when a request would fail for want of them, and by
# themselves where nobody asks.
#
# Room: vm. tlsf_deferred.ko does and judges it.
# shellcheck source=tools/vm/tests/module.sh
. /bin/module.sh

load
insmod /modules/tlsf_deferred.ko >/tmp/why 2>&1
status=$?
if grep -q 'not supported' /tmp/why; then
	skip "deferred frees come back" "the kernel does not let a probe be set there"
else
	expect "deferred frees come back" 0 '' [ "$status" = 0 ]
	[ "$status" = 0 ] || sed 's/^/# /' /tmp/why
fi
rmmod tlsf_deferred 2>/dev/null
finish
