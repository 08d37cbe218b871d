#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Prints the path of an unpacked Debian kernel source, unpacking it when needed.
#
# Room: build. Usage: source.sh. Needs the package linux-source-6.1. Used for the
# UML kernel that runs KUnit, and for checkpatch.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

package=linux-source-6.1
offsets=arch/x86/um/user-offsets.c

# UML 6.1 keeps a process's floating point state in 2696 bytes, and on a processor
# with more of it (AMX) cannot start one: "ptrace set fp regs failed, errno = 14".
# Newer kernels ask for the size. Here a larger constant does.
enlarge_fp_state() {
	grep -q 'HOST_FP_SIZE, 2696' "$1/$offsets" ||
		die "$offsets no longer has HOST_FP_SIZE 2696: is this workaround still needed?"
	sed -i 's/HOST_FP_SIZE, 2696/HOST_FP_SIZE, 16384/' "$1/$offsets"
}

unpack() {
	say "unpacking $package"
	tar -xJf "/usr/src/$package.tar.xz" -C "$1" --strip-components=1 &&
		enlarge_fp_state "$1"
}

version=$(dpkg-query -W -f '${Version}' "$package") || die "no $package; run: make deps"
dir=$tlsf_cache/source/${package}_$version
cached "$dir" unpack
echo "$dir"
