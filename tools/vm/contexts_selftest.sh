#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Counter-tests: shows that what proves the contexts can fail. Seeds one fault at a time
# in a copy of the tree and wants the test that is for it to say so. Prints KTAP.
#
# Room: vm. Usage: contexts_selftest.sh. Minutes: each is a build and a boot.
set -euo pipefail
. "$(dirname "$0")/../build/lib.sh"
. "$here/../build/ktap.sh"

copy=$tlsf_root/build/counter

# seed FILE SED-SCRIPT: a fresh copy with this change
seed() {
	mkdir -p "$copy"
	find "$copy" -mindepth 1 -maxdepth 1 ! -name build -exec rm -rf {} +
	tar -C "$tlsf_root" --exclude=./build --exclude=./.git -c . | tar -C "$copy" -x
	sed -i "$2" "$copy/$1"
	! cmp -s "$tlsf_root/$1" "$copy/$1" || die "the seed '$2' changed nothing in $1"
}

# wanted NAME PATTERN COMMAND...: the command fails, and says this, which is shown
wanted() {
	expect "$1" failure "$2" "${@:3}"
	grep -aE -m 3 "$2" "$ktap_said" | sed 's/^ */# /' || true
}

# vm/run shows the lines of the log that make it fail.
lockdep() { "$copy/tools/kunit/run.sh"; }

races() {
	make -s -C "$copy/tools" && "$copy/tools/vm/stress.sh" KERNEL=kcsan 10000
}

wcet() {
	locate_kernel amd64 &&
		"$copy/tools/build/modules.sh" --tree "$tree" "$kdir" "$copy/build/modules/$release" &&
		"$here/../wcet/wcet.py" "$copy/build/modules/$release/tlsf_mod.ko" --kernel "$image"
}

seed tlsf_lock.h 's/^	if (READ_ONCE(l->held))$/	if (false)/'
wanted "without the uniprocessor guard the tests in NMI and in a probe fail" \
	'not ok .*(NMI|probe) inside' \
	env TLSF_SOURCE="$copy" "$here/contexts.sh" up
seed tlsf_lock.c 's/in_nmi() || raw_cpu_read(tlsf_lock_depth)/in_nmi()/'
wanted "without the count of held locks the probe outside of NMI waits for itself" \
	'no end within|not ok .*probe inside' \
	env TLSF_SOURCE="$copy" "$here/contexts.sh" smp1
seed selftest/tlsf_selftest.c 's/^	p = tlsf_krealloc(p, n, QUIET);$//'
wanted "what tlsf_ksize() tells, used without tlsf_krealloc(), is a kernel BUG" \
	'kernel BUG at lib.string_helpers' \
	env TLSF_SOURCE="$copy" "$here/contexts.sh" smp1
seed tlsf_section.c 's/^#define TLSF_DRAIN_MAX	1$/#define TLSF_DRAIN_MAX	UINT_MAX/'
wanted "when each operation frees all that was deferred the static bound is gone" \
	'tlsf_section.c:[0-9]+: tlsf_drain_some.*loops back' wcet
seed tlsf_lock.h 's/raw_spinlock_t/spinlock_t/
	s/raw_spin_\(trylock\|lock\|unlock\)(raw)/spin_\1(raw)/'
sed -i 's/raw_spin_lock_init(&pool->lock.raw)/spin_lock_init(\&pool->lock.raw)/' "$copy/tlsf_pool.c"
sed -i 's/raw_spin_lock_init(&l->raw)/spin_lock_init(\&l->raw)/' "$copy/kunit/tlsf_lock_kunit.c"
wanted "with a spinlock_t lockdep reports where it is taken" 'Invalid wait context' lockdep
seed tlsf_pool_priv.h '/tlsf_fast_end(/,/^}/ {
	s/^	tlsf_unlock(&pool->lock);$/&\n	if (tlsf_pool_core(pool)->free == 1)\n		barrier();/
}'
wanted "with a look at the core behind the unlock KCSAN reports data races" \
	'KCSAN: data-race in .*\[tlsf_mod\]' races
finish
