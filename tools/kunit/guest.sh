# shellcheck shell=dash
# SPDX-License-Identifier: GPL-2.0-only
#
# In the UML guest: loads the module and each suite, which runs it; unloads all; asks
# kmemleak whether anything was left.
#
# Room: harness (guest).
leaks=/sys/kernel/debug/kmemleak
status=0

try() {
	"$@" || { echo "failed: $*" && status=1; }
}

echo clear >$leaks
try insmod /modules/tlsf_mod.ko
for suite in /modules/*kunit*.ko; do
	try insmod "$suite"
	try rmmod "$(basename "$suite" .ko)"
done
try rmmod tlsf_mod
# kmemleak reports nothing younger than 5 s, and wants to see it twice.
sleep 6
echo scan >$leaks
echo scan >$leaks
if grep -q unreferenced $leaks; then
	cat $leaks
	status=1
fi
exit $status
