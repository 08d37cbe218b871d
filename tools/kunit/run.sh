#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Runs the KUnit suites as modules in a UML kernel with KASAN and lockdep.
#
# Room: kunit. Usage: run.sh [KERNEL=uml]   or debug, kcsan: see build/kernel.sh. Prints
# the suites' KTAP; what kunit.py makes of it goes to standard error. The UML kernel is
# built once per source version, configuration and compiler, and kept in the cache.
set -euo pipefail
. "$(dirname "$0")/../build/lib.sh"

take_kernel uml "$@" || true
source=$("$here/../build/source.sh")
kunit_py=$source/tools/testing/kunit/kunit.py
out=$tlsf_root/build/modules/$kernel-kunit
log=$tlsf_root/build/test/kunit-$kernel.log
guest=(--log "$log" --init-script "$here/guest.sh" --file "$here/../vm/guest/kmemleak.sh"
	--mem 1G)

build_uml() {
	say "building a UML kernel: a few minutes, once"
	(cd "$source" &&
		"$kunit_py" config --kunitconfig "$here/kunitconfig" --build_dir "$1" &&
		make -s ARCH=um O="$1" -j"$(nproc)") >&2
}

# From the kernel log to KTAP. KUnit prints no plan above the suites of modules, and
# numbers the suites of each afresh: plan for each that began, and count them.
extract() {
	local suites
	sed -n '/tlsf-vm: script begins/,$p' "$log" | tr -d '\r' | sed -E 's/^\[ *[0-9.]+\] //' |
		grep -aE '^ *(KTAP version|1\.\.[0-9]|ok |not ok |# )|^ {4}' >"$log.ktap" || true
	suites=$(grep -c '^    # Subtest: ' "$log.ktap" || true)
	printf 'KTAP version 1\n1..%d\n' "$suites"
	awk '/^(not )?ok / { sub(/ok [0-9]+/, "ok " ++count) } { print }' "$log.ktap"
	[ "$suites" -ge "${#kunits[@]}" ] ||
		echo "not ok - a module in kunit/ ran no suite"
}

boot() {
	"$here/../vm/run" "${machine[@]}" "${guest[@]}" --module "$out/tlsf_mod.ko" \
		"${kunits[@]/#/--module=}" >&2
}

prepare_uml() {
	local key uml
	key=$(cat "$here/kunitconfig" <(gcc -dumpfullversion) | sha1sum | cut -c 1-12)
	uml=$tlsf_cache/uml/${source##*_}-$key
	cached "$uml" build_uml
	machine=(--uml "$uml/linux" --timeout 200)
	"$here/../build/modules.sh" "$uml" "$out" ARCH=um W=1 KCFLAGS=-Werror >&2
}

prepare_qemu() {
	locate_kernel "$kernel"
	mapfile -t machine < <(run_options "$kernel")
	machine+=(--kernel "$image" --smp 2 --timeout 1200)
	"$here/../build/modules.sh" --tree "$tree" "$kdir" "$out" W=1 KCFLAGS=-Werror >&2
}

if [ "$kernel" = uml ]; then prepare_uml; else prepare_qemu; fi
kunits=("$out"/kunit/*.ko)
mkdir -p "$(dirname "$log")"
# UML was once seen to hang while it booted, before any code of ours: only then again.
for attempt in 1 2 3; do
	status=0
	boot || status=$?
	! grep -aq 'tlsf-vm: script begins' "$log" || break
	say "UML did not come up, attempt $attempt of 3"
done
extract | tee "$log.tap"
"$kunit_py" parse <"$log.tap" >&2 || status=1
exit "$status"
