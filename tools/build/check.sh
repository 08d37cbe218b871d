#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The gate: what every change must pass before its tests are looked at.
#
# Room: build. Usage: check.sh [GATE]...   default: all. Prints KTAP, one line a gate,
# and what a failed gate found. check_selftest.sh shows that each can fail.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
. "$here/ktap.sh"
cd "$tlsf_root"

gates=(gcc sparse clang checkpatch kernel_doc layering version_checks namespace uapi
	shellcheck codespell mandoc readme version maintainers rooms house clang_format)
out=build/check/modules
shopt -s nullglob
kernel_files=(tlsf_*.[ch] include/linux/*.h include/uapi/linux/*.h samples/*.[ch]
	selftest/*.[ch] kunit/*.[ch] tools/vm/module/*.[ch] tools/bench/module/*.[ch])

# All files of the project, without asking git: a copy of the tree is checked too.
files() {
	find . \( -path ./build -o -path ./.git -o -name __pycache__ \) -prune -o \
		-type f ! -name '.checkpatch-camelcase.*' "$@" -print
}

# Compile all modules for the stock kernel with these further arguments to make.
kbuild() {
	locate_kernel amd64
	"$here/modules.sh" "$kdir" "$out" "$@"
	"$here/client.sh" "$kdir" "$out" tools/vm/module "$out-vm" "$@"
	"$here/client.sh" "$kdir" "$out" tools/bench/module "$out-bench" "$@"
}

# The largest stack frame also has a limit, the same as kernel code for interrupts.
gate_gcc() { kbuild W=1 KCFLAGS='-Werror -Wframe-larger-than=512'; }

gate_sparse() { kbuild C=2 CHECK='sparse -Wsparse-error'; }

gate_clang() { kbuild C=2 CHECK="$here/clang-check"; }

# Idioms that checkpatch does not know, by file: the version checks of the one file
# for them, the layout of TRACE_EVENT(), compiler words for a core that is built in
# user space too and inlined, X() macros of tables, a struct member as a macro's argument.
exceptions() {
	case $1 in
	tlsf_compat.h) echo LINUX_VERSION_CODE,CONSTANT_COMPARISON,MACRO_ARG_REUSE ;;
	tlsf_trace.h) echo OPEN_ENDED_LINE,PARENTHESIS_ALIGNMENT ;;
	tlsf_ops.h) echo COMPLEX_MACRO,PREFER_DEFINED_ATTRIBUTE_MACRO ;;
	tlsf_pool.h) echo COMPLEX_MACRO,MACRO_ARG_REUSE ;;
	tlsf_stats.c) echo TRAILING_SEMICOLON,MACRO_ARG_REUSE ;;
	tlsf_pool_priv.h | tlsf_debugfs.c) echo TRAILING_SEMICOLON ;;
	tlsf_map.h) echo BIT_MACRO ;;
	tlsf_dev.c) echo MACRO_ARG_REUSE ;;
	kunit/tlsf_*_kunit.c) echo MACRO_ARG_PRECEDENCE ;;
	*) echo NONE ;;
	esac
}

gate_checkpatch() {
	local file source bad=0
	source=$("$here/source.sh")
	for file in "${kernel_files[@]}"; do
		perl "$source/scripts/checkpatch.pl" --no-tree --strict --terse --no-summary \
			--max-line-length=100 --ignore "$(exceptions "$file")" --file "$file" || bad=1
	done
	return "$bad"
}

gate_kernel_doc() {
	"$("$here/source.sh")/scripts/kernel-doc" -none -Werror "${kernel_files[@]}"
}

# Who may include whom. "all": only these headers. "ours": of the project's headers
# only these, and what the kernel has. "local": "ours", and the headers beside the file.
layers() {
	cat <<'END'
include/uapi/linux/tlsf.h  all   linux/types.h linux/ioctl.h
tlsf_bits.h                all   linux/bitops.h
tlsf_map.h                 all   tlsf_bits.h
tlsf_core.h                all   tlsf_map.h tlsf_bits.h assert.h stdbool.h stddef.h stdint.h linux/build_bug.h linux/compiler.h linux/stddef.h linux/types.h
tlsf_ops.h                 all   tlsf_core.h
tlsf_core.c                all   tlsf_ops.h
tlsf_check.c               all   tlsf_core.h
tlsf_compat.h              all   linux/version.h
include/linux/tlsf.h       ours
tlsf_lock.[ch]             ours  tlsf_lock.h tlsf_compat.h
tlsf_defer.[ch]            ours  tlsf_defer.h tlsf_compat.h
tlsf_pool.h                ours  tlsf_latency.h linux/tlsf.h
tlsf_pool_priv.h           ours  tlsf_pool.h tlsf_core.h tlsf_defer.h tlsf_lock.h tlsf_latency.h
tlsf_alloc.c               ours  tlsf_pool_priv.h tlsf_ops.h tlsf_trace.h
tlsf_realloc.c             ours  tlsf_pool_priv.h tlsf_ops.h
tlsf_report.c              ours  tlsf_pool_priv.h tlsf_trace.h
tlsf_section.c             ours  tlsf_pool_priv.h
tlsf_stats.c               ours  tlsf_pool_priv.h
tlsf_pool.c                ours  tlsf_pool_priv.h
tlsf_latency.[ch]          ours  tlsf_latency.h tlsf_threshold.h tlsf_map.h uapi/linux/tlsf.h
tlsf_threshold.[ch]        ours  tlsf_threshold.h tlsf_latency.h
tlsf_contents.[ch]         ours  tlsf_contents.h tlsf_pool.h
tlsf_dev.[ch]              ours  tlsf_dev.h tlsf_contents.h tlsf_pool.h tlsf_latency.h tlsf_threshold.h tlsf_compat.h linux/tlsf.h uapi/linux/tlsf.h
tlsf_debugfs.[ch]          ours  tlsf_debugfs.h tlsf_pool.h tlsf_latency.h tlsf_compat.h
tlsf_trace.h               ours  tlsf_compat.h
tlsf_mod.c                 ours  tlsf_pool.h tlsf_threshold.h tlsf_dev.h tlsf_debugfs.h
samples/*.[ch]             ours  linux/tlsf.h
selftest/*.[ch]            ours  linux/tlsf.h tlsf_compat.h
kunit/tlsf_pool*.c         ours  linux/tlsf.h
kunit/tlsf_lock*.c         ours  ../tlsf_lock.c ../tlsf_defer.c
kunit/untraced.h           all
kunit/tlsf_latency*.c      ours  ../tlsf_latency.c ../tlsf_threshold.c
kunit/tlsf_core*.c         ours  layout.h ../tlsf_core.h ../tlsf_map.h ../tlsf_ops.h
tools/cli/*.[ch]           local linux/tlsf.h
tools/vm/tests/*.[ch]      local linux/tlsf.h
tools/vm/module/*.[ch]     ours  linux/tlsf.h tlsf_nmi.h
tools/bench/module/*.[ch]   ours  bench.h percentile.h linux/tlsf.h
tools/host/*.[ch]          local tlsf_core.h ../../tlsf_core.h ../../tlsf_map.h ../../tlsf_ops.h
END
}

includes() { sed -nE 's|^# *include *["<]([^">]+)[">].*|\1|p' "$1"; }

may_include() {
	local header=$2 mode=$3 allowed=$4 beside
	beside=$(dirname "$1")/$header
	[[ " $allowed " != *" $header "* ]] || return 0
	case $mode in
	all) return 1 ;;
	local) [ ! -f "$beside" ] || return 0 ;;
	esac
	[[ $header != *tlsf* && $header != ../* && ! -f $beside ]]
}

gate_layering() {
	local pattern mode allowed file header bad=0
	while read -r pattern mode allowed; do
		for file in $pattern; do
			[ -f "$file" ] || continue
			for header in $(includes "$file"); do
				may_include "$file" "$header" "$mode" "$allowed" || {
					echo "$file may not include $header" && bad=1
				}
			done
		done
	done < <(layers)
	return "$bad"
}

gate_version_checks() {
	! files -name '*.[ch]' ! -name tlsf_compat.h |
		xargs grep -nE 'LINUX_VERSION_CODE|KERNEL_VERSION\('
}

# Every global symbol is tlsf_*, but for what the kernel's macros make of our names.
gate_namespace() {
	local object
	kbuild
	for object in "$out"/tlsf_*.o; do
		[[ $object == *mod.o ]] || nm -g --defined-only "$object"
	done | awk '$3 !~ /^((init|cleanup)_module|(__[A-Za-z_]*_)?tlsf_[a-z0-9_]*)$/ { print; bad = 1 }
		END { exit bad }'
}

# As users compile it: alone, as C90, as C++, for 32 bit.
gate_uapi() {
	local unit='#include <linux/tlsf.h>
		int main(void) { return sizeof(struct tlsf_info) == 0; }'
	local flags=(-Wall -Wextra -Werror -Iinclude/uapi -fsyntax-only)
	gcc -x c -std=c90 "${flags[@]}" - <<<"$unit" &&
		gcc -x c -std=c90 -m32 "${flags[@]}" - <<<"$unit" &&
		g++ -x c++ -std=c++98 "${flags[@]}" - <<<"$unit"
}

scripts() {
	files | while read -r file; do
		head -n 3 "$file" | grep -qaE '^#!.*sh$|^# shellcheck shell=' && echo "$file"
	done || true
}

gate_shellcheck() {
	local list
	mapfile -t list < <(scripts)
	shellcheck "${list[@]}"
}

gate_codespell() {
	local list
	mapfile -t list < <(files ! -name '*.zst')
	codespell -L filp,nd "${list[@]}"
}

gate_mandoc() {
	local pages
	mapfile -t pages < <(files -path './docs/man/*.[0-9]')
	[ ${#pages[@]} -gt 0 ] || { echo "no man pages in docs/man" && return 1; }
	mandoc -Tlint -W warning "${pages[@]}"
}

# The README quotes the sample to the letter, and every verb it names exists.
gate_readme() {
	local line verb bad=0
	while IFS= read -r line; do
		grep -qxF -e "$line" samples/tlsf_sample.c ||
			{ echo "not in the sample: $line" && bad=1; }
	done < <(awk '/^``/ { quoted = $0 ~ /c$/; next } quoted && NF' README.md)
	while read -r verb; do
		grep -q "^$verb:" Makefile || { echo "no such verb: make $verb" && bad=1; }
	done < <(grep -ohE '\bmake [a-z][a-z0-9-]*' README.md docs/*.md docs/decisions/*.md CONTRIBUTING.md \
		SECURITY.md |
		awk '{ print $2 }' | sort -u)
	return "$bad"
}

# dkms.conf states the version; the module has it, and CHANGELOG.md begins with it.
gate_version() {
	local version
	version=$(sed -n 's/^PACKAGE_VERSION="\(.*\)"$/\1/p' dkms.conf | tail -n 1)
	kbuild
	[ "$(modinfo -F version "$out/tlsf_mod.ko")" = "$version" ] ||
		{ echo "the module is $(modinfo -F version "$out/tlsf_mod.ko"), not $version" && return 1; }
	grep -m 1 '^## ' CHANGELOG.md | grep -E "^## ${version//./\\.}( |\$)" ||
		{ echo "CHANGELOG.md does not begin with $version" && return 1; }
}

# MAINTAINERS, a line for each F: "ROOM PATTERN".
maintained() { awk '$1 == "TLSF" { room = tolower($2) } $1 == "F:" { print room, $2 }' MAINTAINERS; }

# Every file, and the rooms whose patterns it matches: "FILE ROOM...".
placed() {
	files | sed 's|^\./||' | LC_ALL=C sort | awk '
		NR == FNR {
			gsub(/\./, "\\.", $2)
			gsub(/\*/, "[^/]*", $2)
			sub(/\/$/, "/.*", $2)
			room[++n] = $1
			pattern[n] = "^" $2 "$"
			next
		}
		{
			rooms = ""
			for (i = 1; i <= n; i++)
				if ($0 ~ pattern[i])
					rooms = rooms " " room[i]
			print $0 rooms
		}' <(maintained) -
}

# Every file is in one section, and every pattern matches a file.
gate_maintainers() {
	local room pattern bad=0
	placed | awk 'NF != 2 { print $1 " is in " NF - 1 " sections"; bad = 1 } END { exit bad }' || bad=1
	while read -r room pattern; do
		compgen -G "$pattern" >/dev/null || { echo "no file of $room is $pattern" && bad=1; }
	done < <(maintained)
	return "$bad"
}

# The table of rooms in CONTRIBUTING.md: "ROOM|PATTERNS|SUITES".
# shellcheck disable=SC2016 # backticks of Markdown
room_table() { sed -nE 's/^\| ([a-z]+) \| `([^`]*)` \| ([a-z ]*) \|$/\1|\2|\3/p' CONTRIBUTING.md; }

# "FILE VALUE" of each line that begins with "Room:", the comment's sign aside. VALUE is "?"
# when it is not one word that a full stop or a semicolon ends.
room_values() {
	files ! -name '*.md' ! -name '*.zst' | sed 's|^\./||' |
		xargs grep -EH '^[^[:alnum:]]*Room:' |
		sed -E 's/^([^:]*):[^[:alnum:]]*Room:( ([a-z]+)[.;].*)?.*$/\1 \3/; s/ $/ ?/'
}

# The table says what MAINTAINERS says, its suites exist, and each source file's head names
# the room that the file is in.
gate_rooms() {
	local room suites name bad=0
	diff --label MAINTAINERS --label CONTRIBUTING.md -U 0 <(maintained | sort) \
		<(room_table | awk -F'|' '{ n = split($2, p, " ")
			for (i = 1; i <= n; i++) print $1, p[i] }' | sort) || bad=1
	while IFS='|' read -r room _ suites; do
		for name in $suites; do
			grep -qF "[$name]=" tools/build/test.sh || { echo "$room: no suite $name" && bad=1; }
		done
	done < <(room_table)
	awk 'NR == FNR { room[$1] = $2; next }
		{ told[$1] = 1 }
		room[$1] != $2 { print $1 ": Room: " $2 ", but it is in " room[$1]; bad = 1 }
		END {
			for (f in room)
				if (f ~ /\.([ch]|sh|py)$/ && !told[f]) {
					print f ": no Room:"
					bad = 1
				}
			exit bad
		}' <(placed) <(room_values) || bad=1
	return "$bad"
}

# Files that one can hold in the head, and behaviour that is chosen by arguments, not by the
# preprocessor. kunit/ may include what it tests.
gate_house() {
	local file lines found bad=0
	local module=(tlsf_*.[ch] include/linux/*.h include/uapi/linux/*.h)
	for file in "${module[@]}"; do
		lines=$(wc -l <"$file")
		[ "$lines" -le 900 ] || { echo "$file has $lines lines, more than 900" && bad=1; }
	done
	! grep -nE '^[[:space:]]*#[[:space:]]*include[[:space:]]*["<].*\.c[">]' "${module[@]}" \
		samples/*.[ch] selftest/*.[ch] || bad=1
	found=$(grep -nE '^[[:space:]]*#[[:space:]]*(if|ifdef|ifndef|elif)\>' \
		tlsf_core.[ch] tlsf_ops*.h tlsf_check.c | grep -vE 'ifndef _TLSF_[A-Z]*_H$' || true)
	[ "$(wc -l <<<"$found")" -le 3 ] ||
		{ printf 'more than 3 conditions in the core:\n%s\n' "$found" && bad=1; }
	return "$bad"
}

# .clang-format is the kernel's. What it would change is only advice: it does not know
# the alignment of tables and of struct comments.
gate_clang_format() {
	local file lines
	diff "$("$here/source.sh")/.clang-format" .clang-format || return 1
	for file in "${kernel_files[@]}"; do
		[ -f "$file" ] || continue
		lines=$(clang-format --style=file:.clang-format "$file" |
			diff - "$file" | grep -c '^>' || true)
		echo "# clang-format would change $lines lines of $file"
	done
}

run_gate() {
	local passed found=build/check/$1.out
	set +e # in a condition, the gate's own "set -e" would not count
	(set -e && "gate_$1") >"$found" 2>&1
	passed=$?
	set -e
	result "$passed" "$1"
	[ "$passed" = 0 ] || sed 's/^/# /' "$found"
}

[ $# -gt 0 ] || set -- "${gates[@]}"
for gate; do
	[[ " ${gates[*]} " == *" $gate "* ]] || die "no gate '$gate'; there are: ${gates[*]}"
done
mkdir -p build/check
for gate; do
	run_gate "$gate"
done
finish
