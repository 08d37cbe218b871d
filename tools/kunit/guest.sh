# shellcheck shell=dash
# SPDX-License-Identifier: GPL-2.0-only
#
# In the UML guest: loads the module and each suite, which runs it; unloads all; asks
# kmemleak whether anything was left.
#
# Room: kunit. In the guest.
status=0

try() {
	"$@" || { echo "failed: $*" && status=1; }
}

scan() {
	kmemleak.sh scan
	case $? in 0 | 77) ;; *) status=1 ;; esac
}

kmemleak.sh clear
try insmod /modules/tlsf_mod.ko
for suite in /modules/*kunit*.ko; do
	try insmod "$suite"
	try rmmod "$(basename "$suite" .ko)"
done
try rmmod tlsf_mod
scan
exit $status
