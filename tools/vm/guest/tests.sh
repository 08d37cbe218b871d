# shellcheck shell=dash
# SPDX-License-Identifier: GPL-2.0-only
#
# In the guest: runs each test in /tests with the module loaded, as one KTAP subtest.
#
# Room: vm. In the guest. Exit status 77 of a test means skipped. A marker in the
# kernel log names the test that was running. tlsf_patience, from the kernel's command
# line, is the limit for each, in seconds. Where the kernel looks for leaks, none is left;
# where it looks for data races, it has done so.

# Where the kernel looks for data races it stops at every so many accesses to watch. A
# script is many processes that begin and end, whose accesses are the kernel's own, and
# long_work, secret and walk_many are one task that fills hundreds of MiB or makes some hundred
# thousand handles: there it stops less often, so that they take a third of the time.
watch() {
	case $1 in
	*.sh | */long_work | */secret | */walk_many) echo 5000 ;;
	*) echo "$skip_watch" ;;
	esac >/sys/module/kcsan/parameters/skip_watch
}

run() {
	local name
	[ ! -e $kcsan ] || watch "$1"
	name=$(basename "$1" .sh)
	echo "tlsf-vm: test $name" >/dev/kmsg
	[ -d /sys/module/tlsf_mod ] || insmod /modules/tlsf_mod.ko
	subtests "$name" timeout "${tlsf_patience:-90}" "$1"
}

# "kcsan FIGURE"
kcsan() {
	sed -n "s/^$1: //p" $kcsan
}

races_sought() {
	[ "$(kcsan enabled)" = 1 ] && [ "$(kcsan setup_watchpoints)" -gt "$watched" ]
}

kcsan=/sys/kernel/debug/kcsan
skip_watch=$(cat /sys/module/kcsan/parameters/skip_watch 2>/dev/null)
watched=$(kcsan setup_watchpoints 2>/dev/null)
# shellcheck source=tools/build/ktap.sh
. /bin/ktap.sh
kmemleak.sh clear
for test in /tests/*; do
	run "$test"
done
[ ! -d /sys/module/tlsf_mod ] || holds "the module goes" rmmod tlsf_mod
[ ! -e /sys/kernel/debug/kmemleak ] || holds "nothing leaked" kmemleak.sh scan
[ ! -e $kcsan ] || echo "# $(kcsan setup_watchpoints) watchpoints set," \
	"$(kcsan data_races) data races, the kernel's own among them"
[ ! -e $kcsan ] || holds "data races were looked for" races_sought
finish
