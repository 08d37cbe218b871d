#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Writes build/compile_commands.json, where clangd looks for it.
#
# Room: build. Usage: compdb.sh KDIR OUT   as for modules.sh. The kernel's own script reads
# how kbuild compiled the modules; bear watches the programs being built once more, into
# build/compdb. kbuild compiles a mirror of the sources: their real paths are put instead.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tools/build/lib.sh
. "$here/lib.sh"
cd "$tlsf_root"

[ $# = 2 ] || die "usage: compdb.sh KDIR OUT"
kdir=$(realpath "$1") out=$(realpath -m "$2") scratch=$tlsf_root/build/compdb
json=$tlsf_root/build/compile_commands.json

"$here/modules.sh" "$kdir" "$out"
"$("$here/source.sh")/scripts/clang-tools/gen_compile_commands.py" -d "$kdir" -o "$json" "$out"
sed -i -E "s#$out/([^ \"]*\\.c)\\b#$tlsf_root/\\1#g; s#$tlsf_root/([^ \"]*\\.mod\\.c)#$out/\\1#g
	s#-I ?$out(/include)?([ \"])#-I$tlsf_root\\1\\2#g" "$json"

rm -rf "$scratch"
# shellcheck disable=SC2016 # expands in the inner shell
bear --append --output "$json" -- bash -ec '
	make -s -C tools OUT="$1/tools"
	make -s -C tools/vm/tests OUT="$1/tests"
	make -s -C tools/host all BUILD="$1/host" VARIANTS=plain STEPS=' compdb "$scratch"
say "$(grep -c '"file":' "$json") commands in ${json#"$tlsf_root/"}"
