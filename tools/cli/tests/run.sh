#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What the tlsf command does without a device: options, errors, exit codes, traces.
#
# Room: cli. usage: run.sh PATH-TO-TLSF. Prints KTAP; exits 1 when a
# test failed. Needs zstd, gnuplot and no privilege; writes only to a temporary directory.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
. "$here/../../build/ktap.sh"

tlsf=$(realpath "${1:?usage: run.sh PATH-TO-TLSF}")
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp"

# says NAME CODE PATTERN ARGS...: `tlsf ARGS` exits with CODE and prints a line that
# matches PATTERN, an extended regular expression, on stdout or stderr.
says() {
	expect "$1" "$2" "$3" "$tlsf" "${@:4}" </dev/null
}

# Without a device, a trace is read first: exit 3 says that it was found good.
trace_good() { # NAME TEXT
	printf '%b' "$2" >good.trace
	says "$1" 3 'no such device' --device "$tmp/none" replay good.trace
}

trace_bad() { # NAME TEXT LINE PATTERN
	printf '%b' "$2" >bad.trace
	says "$1" 2 "^tlsf: bad\\.trace:$3: .*$4" --device "$tmp/none" replay bad.trace
}

commands=(info stat hist map check stress replay reset)
head='tlsf-trace 1\n'

test_help() {
	local command
	says help 0 '^Usage: tlsf ' --help
	says help_exit_codes 0 'Exit status: 0 success; 1 ' --help
	says version 0 '^tlsf [^ ]+ \(ABI [0-9]+\)$' --version
	for command in "${commands[@]}"; do
		says "help_lists_$command" 0 "^  $command " --help
		says "help_$command" 0 "^Usage: tlsf $command " "$command" --help
	done
}

test_usage() {
	says no_command 2 'no command given'
	says unknown_command 2 "unknown command 'frobnicate'" frobnicate
	says unknown_option 2 "tlsf stat: unrecognized option '--frobnicate'" stat --frobnicate
	says stat_max_cycles 2 "'0' is not a number from 1" stat --max-cycles 0
	says stat_duration 2 'goes with --max-cycles' stat --duration 5
	says excess_argument 2 'Too many arguments' stat more
	says reset_has_no_json 2 "unrecognized option '--json'" reset --json
	says hist_op 2 "'alloca' is none of: alloc free resize all" hist --op alloca
	says hist_kind 2 "'x' is none of: hold total" hist --kind x
	says hist_context 2 "'nmi' is none of: any task softirq hardirq NMI each" hist --context nmi
	says hist_rows 2 "'1' is not a number from 2" hist --rows 1
	says map_width 2 "'0' is not a number from 1" map --width 0
	says replay_no_file 2 'no trace given' replay
	says replay_two_files 2 "not also 'b'" replay a b
	says replay_batch 2 "'4097' is not a number from 1 to 4096" replay --batch 4097 a
}

test_stress_usage() {
	local bad
	says threads_0 2 "'0' is not a number" stress --threads 0
	says threads_negative 2 "'-1' is not a number" stress --threads=-1
	says duration_text 2 "'5s' is not a number" stress --duration 5s
	says ops_overflow 2 'is not a number' stress --ops 99999999999999999999999
	says percent_101 2 "'101' is not a number from 0 to 100" stress --align-mix 101
	for bad in 5 fixed fixed: fixed:x gauss:5 fix:5; do
		says "size_shape_$bad" 2 'is not fixed:N, uniform:A-B or loguniform:A-B' \
			stress --size "$bad"
	done
	says size_no_range 2 'needs a range A-B' stress --size uniform:5
	says size_excess 2 "has 'Q' too much" stress --size fixed:5Q
	says size_blank 2 "has ' ' too much" stress --size 'fixed:5 '
	says size_zero 2 'sizes start at 1' stress --size uniform:0-5
	says size_backwards 2 'the first is the smaller' stress --size loguniform:4K-1K
	for bad in fixed:18446744073709551616 fixed:17179869184G fixed:18014398509481985K \
		uniform:1-99999999999999999999M loguniform:17592186044416M-5; do
		says "size_wraps_$bad" 2 "'$bad': a size is at most 2\\^64 - 1 bytes" \
			stress --size "$bad"
	done
	says size_largest 3 'no such device' --device "$tmp/none" stress --size fixed:17179869183G
	says size_good 3 'no such device' --device "$tmp/none" stress --size loguniform:16-1M
}

test_device() {
	local command
	: >plain
	for command in info stat hist map check stress reset; do
		says "no_device_$command" 3 "^tlsf: $tmp/none: no such device: .*modprobe tlsf_mod" \
			"$command" --device "$tmp/none"
	done
	says device_before_command 3 "^tlsf: $tmp/none: " --device "$tmp/none" stat
	says device_later_wins 3 '^tlsf: /dev/null: ' --device "$tmp/none" stat --device /dev/null
	says wrong_device 3 'INFO is not a call of this device' stat --device /dev/null
	says plain_file 3 'INFO is not a call of this device' stat --device "$tmp/plain"
	says directory 3 'a directory, not the tlsf device' stat --device "$tmp"
	says no_json_on_error 3 '^tlsf: ' stat --json --device "$tmp/none"
}

# What tlsf hist --json prints for three frees, two in a softirq; vm/tests/contexts.sh holds that
# it has these keys.
histograms() {
	local figures='"min": 90, "mean": 150.5, "p50": 95, "p99": 300, "p99.9": 300'
	figures=$figures', "p99.99": 300, "max": 300'
	local one='"cycles": {'$figures'}, "buckets": [{"from": 90, "to": 91, "count": 1}'
	local two='{"count": 2, '$one', {"from": 296, "to": 300, "count": 1}]}'
	cat <<-END
		{"clock": {"unit": "tsc", "hz": 2000000000, "recording": true}, "kind": "$1", "histograms": {
		"alloc": {"count": 0, "cycles": {}, "buckets": [], "contexts": {}},
		"free": {"count": 3, "contexts": {"task": {"count": 1, $one]}, "softirq": $two}}}}
	END
}

plot() { "$here/../plot.py"; }

test_plot() {
	local text
	histograms total >hist.json
	expect plot_is_a_picture 0 '^</svg>' plot <hist.json
	for text in 'tlsf latency, total: wait ' 'cycles; 1000 are 500 ns<' 'operations<' '>max<' \
		'free, task: count 1, min 90, avg 150.5, p50 95, ' 'free, softirq: count 2, '; do
		expect "plot_says_${text// /_}" 0 "$text" plot <hist.json
	done
	expect plot_without_alloc 1 '' sh -c "'$here/../plot.py' <hist.json | grep alloc"
	echo '{"clock": {}}' >other.json
	expect plot_of_something_else 1 'not what tlsf hist --json prints' plot <other.json
	histograms none >other.json
	expect plot_of_another_kind 1 'not what tlsf hist --json prints' plot <other.json
}

# Root may open anything, so this one runs as somebody else, with a copy that others
# can reach.
test_permission() {
	local as=()
	: >secret
	chmod 0 secret
	install -m 755 "$tlsf" copy
	chmod 755 "$tmp"
	if [[ $EUID == 0 ]]; then
		as=(setpriv --reuid 65534 --clear-groups)
	fi
	expect permission_denied 3 "permission denied: run as root, or as a member" \
		"${as[@]}" ./copy stat --device "$tmp/secret"
}

test_trace_good() {
	trace_good trace_empty "${head}end 0\n"
	trace_good trace_comments "${head}# program: x\na 0 5\n# more\nend 1\n"
	trace_good trace_all_records "${head}a 7 5\na 2 9 64\nr 7 1\nf 7\na 7 3\nend 5\n"
	trace_good trace_largest_id "${head}a 16777215 1\nend 1\n"
	trace_good trace_left_allocated "${head}a 0 1\na 1 1\nf 0\nend 3\n"
}

test_trace_bad() {
	trace_bad trace_no_bytes '' 1 'the file is empty'
	trace_bad trace_not_one 'hello\n' 1 "expected 'tlsf-trace 1': not a trace"
	trace_bad trace_version_2 'tlsf-trace 2\nend 0\n' 1 "expected 'tlsf-trace 1'"
	trace_bad trace_no_end "${head}a 0 5\nf 0\n" 4 "expected more records and 'end 2': the file is cut"
	trace_bad trace_cut_line "${head}a 0 5\na 1 10" 3 'expected a newline: the file is cut'
	trace_bad trace_cut_end "${head}a 0 5\nend 1" 3 'expected a newline: the file is cut'
	trace_bad trace_end_count "${head}a 0 5\nend 2\n" 3 "expected 'end 1'.*not 'end 2'"
	trace_bad trace_end_no_count "${head}end\n" 2 "expected 'end' and the number"
	trace_bad trace_after_end "${head}end 0\n# x\n" 3 'expected nothing after the end'
	trace_bad trace_unknown "${head}x 0 5\nend 1\n" 2 "expected a record .* not 'x'"
	trace_bad trace_blank_line "${head}\nend 0\n" 2 'expected a record'
	trace_bad trace_free_unknown "${head}a 0 5\nf 1\nend 2\n" 3 'but 1 is not allocated'
	trace_bad trace_free_twice "${head}a 0 5\nf 0\nf 0\nend 3\n" 4 'but 0 is not allocated'
	trace_bad trace_resize_free "${head}a 0 5\nf 0\nr 0 9\nend 3\n" 4 'but 0 is not allocated'
	trace_bad trace_alloc_live "${head}a 0 5\na 0 5\nend 2\n" 3 'but 0 is still allocated'
	trace_bad trace_size_0 "${head}a 0 0\nend 1\n" 2 'a size from 1'
	trace_bad trace_size_negative "${head}a 0 -5\nend 1\n" 2 'a size from 1'
	trace_bad trace_size_huge "${head}a 0 99999999999999999999\nend 1\n" 2 'a size from 1'
	trace_bad trace_size_missing "${head}a 0\nend 1\n" 2 'a size from 1'
	trace_bad trace_align_3 "${head}a 0 5 3\nend 1\n" 2 'an alignment that is a power of two'
	trace_bad trace_align_0 "${head}a 0 5 0\nend 1\n" 2 'an alignment that is a power of two'
	trace_bad trace_id_huge "${head}a 16777216 5\nend 1\n" 2 'an id from 0 to 16777215'
	trace_bad trace_excess "${head}a 0 5\nf 0 5\nend 2\n" 3 "expected the end of the line, not ' 5'"
	trace_bad trace_dos_line "${head}a 0 5\nf 0\r\nend 2\n" 3 'expected the end of the line'
	trace_bad trace_zero_byte "${head}a 0 5\0\nend 1\n" 2 'found a zero byte'
	says trace_missing 2 '^tlsf: none.trace: cannot read: No such file' replay none.trace
	says trace_directory 2 '^tlsf: .*: cannot read' replay .
}

# A line takes no more memory than the limit says: the reader of a huge one is given 64 MiB.
test_trace_long_lines() {
	local comment
	comment="# $(printf '%4093s' x)"
	trace_good trace_longest_line "${head}$comment\nend 0\n"
	trace_bad trace_too_long_line "${head}a 0 5\n$comment \nf 0\nend 2\n" 3 \
		"expected a line of at most 4096 bytes, .* begins with '# "
	trace_bad trace_too_long_last_line "${head}$comment-" 2 'a line of at most 4096 bytes'
	{ printf 'tlsf-trace 1\n' && head -c 300M /dev/zero | tr '\0' 1; } | zstd -q -o bomb.zst
	printf '#!/bin/sh\nulimit -v 65536\nexec "%s" "$@"\n' "$tlsf" >small
	chmod +x small
	tlsf=$tmp/small says trace_line_of_300_mb 2 \
		"^tlsf: bomb\\.zst:2: expected a line of at most 4096 bytes, .*'1111111111111111'" \
		replay bomb.zst
}

# A long trace, so that a cut or a flipped byte lies well inside the stream.
long_trace() {
	printf 'tlsf-trace 1\n'
	local i
	for ((i = 0; i < 20000; i++)); do
		printf 'a %d %d\n' "$i" $(((i * 7919) % 4001 + 1))
	done
	printf 'end 20000\n'
}

# Cut after so many bytes, it is refused and a line is named.
trace_cut_at() {
	head -c "$1" long.zst >cut.zst
	says "zstd_cut_at_$1" 2 '^tlsf: cut\.zst:[0-9]+: .*cut short' replay cut.zst
}

test_zstd() {
	local size at
	long_trace >long
	zstd -q --check long -o long.zst
	says zstd_whole 3 'no such device' --device "$tmp/none" replay long.zst
	mv long.zst long.bin
	says zstd_by_magic 3 'no such device' --device "$tmp/none" replay long.bin
	mv long.bin long.zst
	cat long.zst long.zst >twice.zst
	says zstd_two_frames 2 '^tlsf: twice\.zst:20003: expected nothing after the end' \
		replay twice.zst
	size=$(stat -c %s long.zst)
	for at in 5 $((size / 3)) $((size / 2)) $((size - 4)) $((size - 1)); do
		trace_cut_at "$at"
	done
	cp long.zst flipped.zst
	printf '\377\377\377\377' | dd of=flipped.zst bs=1 seek=$((size / 2)) conv=notrunc status=none
	says zstd_corrupt 2 '^tlsf: flipped\.zst:[0-9]+: ' replay flipped.zst
	{ printf 'tlsf-trace 1\n' && head -c 100M /dev/zero | tr '\0' '\n'; } |
		zstd -q --long=27 -o window.zst
	says zstd_window_128_mib 2 '^tlsf: window\.zst:1: expected a zstd window of at most 8 MiB' \
		replay window.zst
	printf 'junk' | cat long.zst - >trailing.zst
	says zstd_trailing_junk 2 '^tlsf: trailing\.zst:[0-9]+: ' replay trailing.zst
}

test_help
test_usage
test_stress_usage
# A program of its own beside the command: no device counts that far.
holds percentiles_of_large_counts "${tlsf%/*}/lat_test"
test_device
test_permission
test_plot
test_trace_good
test_trace_bad
test_trace_long_lines
test_zstd
finish
