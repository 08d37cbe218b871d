#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# What is reported is limited for each pool and each kind, and what was held back is told.
#
# Room: vm. In the guest. tlsf_flood.ko has 1000 frees rejected beside
# damage in the pool "flood", then 1000 requests failed there, with 13 bad frees in the
# pool "other" in between.
# shellcheck source=tools/vm/tests/module.sh
. /bin/module.sh

# "lines POOL PATTERN": how many lines of the log
lines() {
	dmesg | grep -c "tlsf: pool $1: .*$2"
}

# "told POOL PATTERN LAST": with those that were held back, as the lines say; LAST: when
# the pool went
told() {
	dmesg | awk -v pool="tlsf: pool $1: " -v pattern="$2" -v last="$3" '
		index($0, pool) && $0 ~ pattern { sum++ }
		index($0, pool) && $0 ~ pattern && match($0, /\([0-9]+ more/) {
			sum += substr($0, RSTART + 1, RLENGTH - 6)
		}
		index($0, pool) && match($0, "[0-9]+ more " last) { sum += substr($0, RSTART) + 0 }
		END { print sum + 0 }'
}

# ten in five seconds, and the test takes few
few() {
	expect "few of the $1 are shown: $shown" 0 '' [ "$shown" -ge 1 ]
	expect "and not many more" 0 '' [ "$shown" -le 30 ]
}

load
dmesg -c >/dev/null
holds "clients with much to report" insmod /modules/tlsf_flood.ko
rmmod tlsf_flood
shown=$(lines flood pointer.*rejected)
few "rejected frees"
same "shown and held back" "$(told flood 'pointer.*rejected' 'rejected pointers')" 1000
shown=$(lines flood bytes.*refused)
few "failed requests"
same "shown and held back" "$(told flood 'bytes.*refused' 'refused requests')" 1000
shown=$(lines other pointer.*rejected)
holds "another driver's bad frees are shown beside them: $shown" [ "$shown" -ge 10 ]
same "shown and held back" "$(told other 'pointer.*rejected' 'rejected pointers')" 13
finish
