#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Records the malloc, free and realloc stream of a compiler at work.
#
# Room: traces. Usage: record-program.sh [OUTDIR]    writes OUTDIR/cc1.trace.zst
# The program is gcc's cc1, from its first instruction to its last, and what it
# compiles is a library that Debian ships as one C header: stb_rect_pack, with -O2.
# Needs root or sudo only for packages that are missing. Takes a few seconds.
set -euo pipefail
. "$(dirname "$0")/../build/lib.sh"

source=/usr/include/stb/stb_rect_pack.h
out=${1:-$here}
work=$tlsf_root/build/traces/cc1

build_shim() {
	gcc -std=gnu11 -O2 -Wall -Wextra -Werror -fvisibility=hidden -fPIC -shared -pthread \
		-o "$work/malloc_shim.so" "$here/malloc_shim.c"
}

# -quiet: cc1 alone would list each function as it goes. -w: the warnings are the
# library's business.
record() {
	TLSF_RECORD=$work/raw LD_PRELOAD=$work/malloc_shim.so \
		"$(gcc -print-prog-name=cc1)" -quiet -w -O2 -D STB_RECT_PACK_IMPLEMENTATION \
		-x c "$source" -o "$work/out.s"
	[ -s "$work/raw" ] || die "cc1 ran without the shim: is it linked statically?"
}

version() { dpkg-query -W -f '${Package} ${Version}' "$1"; }

convert() {
	local compiler
	compiler=$(dpkg-query -S "$(gcc -print-prog-name=cc1)" | cut -d: -f1)
	python3 "$here/convert-recording.py" shim "$work/raw" \
		--header "recorded-from: malloc, free, realloc of cc1 -O2 compiling ${source##*/}, whole run" \
		--header "program: $(version "$compiler"), $(version libc6)" \
		--header "input: $(version libstb-dev)" \
		--header "recorded: $(date -u +%F)" \
		--header "recipe: tools/traces/record-program.sh" >"$work/cc1.trace"
	zstd -q -19 -f "$work/cc1.trace" -o "$out/cc1.trace.zst"
}

[ -d "$out" ] || die "no directory $out; create it first"
"$here/../build/deps.sh" traces
rm -rf "$work"
mkdir -p "$work"
build_shim
record
convert
rm "$work/raw"
python3 "$here/lint-trace.py" "$out/cc1.trace.zst"
