# shellcheck shell=dash
# SPDX-License-Identifier: GPL-2.0-only
#
# In the guest: runs each test in /tests with the module loaded, as one KTAP subtest.
#
# Room: harness (guest). Exit status 77 of a test means skipped. A marker in the
# kernel log names the test that was running. tlsf_patience, from the kernel's command
# line, is the limit for each, in seconds. Where the kernel looks for leaks, none is left;
# where it looks for data races, it has done so.
count=0 status=0

conclude() {
	case $1 in
	0) echo "ok $count - $2" ;;
	77) echo "ok $count - $2 # SKIP" ;;
	*) echo "not ok $count - $2" && echo "# exit status $1" && status=1 ;;
	esac
}

# Where the kernel looks for data races it stops at every so many accesses to watch. A
# script is many processes that begin and end, whose accesses are the kernel's own: there
# it stops less often, so that it takes a third of the time.
watch() {
	case $1 in
	*.sh) echo 5000 ;;
	*) echo "$skip_watch" ;;
	esac >/sys/module/kcsan/parameters/skip_watch
}

run() {
	local name
	[ ! -e $kcsan ] || watch "$1"
	name=$(basename "$1" .sh)
	count=$((count + 1))
	echo "tlsf-vm: test $name" >/dev/kmsg
	[ -d /sys/module/tlsf_mod ] || insmod /modules/tlsf_mod.ko
	echo "    # Subtest: $name"
	timeout "${tlsf_patience:-90}" "$1" >/tmp/output 2>&1
	set -- $? "$name"
	sed 's/^/    /' /tmp/output
	conclude "$@"
}

no_leak() {
	count=$((count + 1))
	kmemleak.sh scan >/tmp/output 2>&1
	set -- $?
	sed 's/^/# /' /tmp/output
	conclude "$1" "nothing leaked"
}

# "kcsan FIGURE"
kcsan() {
	sed -n "s/^$1: //p" $kcsan
}

races_sought() {
	count=$((count + 1))
	echo "# $(kcsan setup_watchpoints) watchpoints set, $(kcsan data_races) data races, the kernel's own among them"
	[ "$(kcsan enabled)" = 1 ] && [ "$(kcsan setup_watchpoints)" -gt "$watched" ]
	conclude $? "data races were looked for"
}

kcsan=/sys/kernel/debug/kcsan
skip_watch=$(cat /sys/module/kcsan/parameters/skip_watch 2>/dev/null)
watched=$(kcsan setup_watchpoints 2>/dev/null)
echo "KTAP version 1"
kmemleak.sh clear
for test in /tests/*; do
	run "$test"
done
rmmod tlsf_mod || status=1
[ ! -e /sys/kernel/debug/kmemleak ] || no_leak
[ ! -e $kcsan ] || races_sought
echo "1..$count"
exit $status
