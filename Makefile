# SPDX-License-Identifier: GPL-2.0-only
#
# Verbs for people; "make help" lists them. What kbuild needs is in Kbuild; how
# things are done is in the scripts under tools/.
#
# KVER is the kernel to build for: the running one if its headers are installed,
# else the newest whose headers are. demo and test use Debian's stock kernel instead.

newest  = $(shell ls -d /lib/modules/*/build 2>/dev/null | cut -d/ -f4 | grep -v -e -rt- | \
		sort -V | tail -n 1)
running := $(shell uname -r)
KVER    ?= $(if $(wildcard /lib/modules/$(running)/build),$(running),$(newest))
KDIR    ?= /lib/modules/$(KVER)/build
PREFIX  ?= /usr/local
DESTDIR ?=
SECONDS ?= 60
ROUNDS  ?= 5
KERNEL  ?= amd64
OPS     ?=

built    = build/modules/$(KVER)
moddir   = $(DESTDIR)/lib/modules/$(KVER)
headers  = $(DESTDIR)$(PREFIX)/src/tlsf
man      = $(DESTDIR)$(PREFIX)/share/man
rules    = $(DESTDIR)/etc/udev/rules.d/90-tlsf.rules
# A stamp for each group of packages, void when the lists or what is installed change.
stamp   := build/deps/$(firstword $(shell sha1sum tools/build/deps.sh))

.PHONY: help deps tools modules demo test test-kernels stress steps lines check check-selftest \
	compdb contexts-selftest fuzz random-10m coverage mutation seed-faults bench bench-core wcet \
	bare-test traces install uninstall clean

help: ## list these verbs
	@sed -n 's/^\([a-z0-9-]*\):.*## \(.*\)/  make \1#\2/p' $(firstword $(MAKEFILE_LIST)) | \
		awk -F'#' '{ printf "%-22s %s\n", $$1, $$2 }'

deps: $(addprefix $(stamp)-,build vm rt kernels kunit check wcet lines plot) ## install the Debian packages that the other verbs need

$(stamp)-%: $(wildcard /var/lib/dpkg/status)
	@tools/build/deps.sh $*
	@mkdir -p $(@D) && touch $@

tools: | $(stamp)-build ## build the command tlsf: build/tools/tlsf
	@$(MAKE) -s -C tools

modules: | $(stamp)-build ## build tlsf_mod.ko, the sample and the self-test: build/modules/KVER [KVER=]
	@tools/build/modules.sh $(KDIR) $(built)

demo: tools | $(stamp)-vm ## boot a stock Debian kernel and show the module at work
	@tools/vm/with-tlsf --icount --init-script tools/vm/guest/demo.sh

test: tools | deps ## run all tests, or those named [SUITES="host vm ..."]
	@tools/build/test.sh $(SUITES)

test-kernels: tools | deps $(stamp)-arm64 ## test on 6.1, 6.12, 7.x, PREEMPT_RT, arm64 and our own debug kernels [KERNELS=]
	@tools/build/matrix.sh $(KERNELS)

stress: tools | deps ## races on purpose, in all contexts on all processors [KERNEL=amd64 OPS=]
	@tools/vm/stress.sh KERNEL=$(KERNEL) $(OPS)

steps: | $(stamp)-build ## count the core's instructions per operation: table, and build/steps.csv
	@$(MAKE) -s -C tools/host steps

lines: | $(addprefix $(stamp)-,build lines) ## count the cache lines that an operation of the core touches: table, and build/lines.csv
	@$(MAKE) -s -C tools/host lines

wcet: tools | $(addprefix $(stamp)-,build vm wcet) ## longest path of each operation, from the object code, beside the longest seen [KERNEL=amd64]
	@tools/wcet/run.sh KERNEL=$(KERNEL)

check: tools | $(addprefix $(stamp)-,build check) ## compilers' warnings, sparse, checkpatch, style and layering
	@tools/build/check.sh

compdb: | $(addprefix $(stamp)-,build compdb) ## tell clangd how all is compiled: build/compile_commands.json [KVER=]
	@tools/build/compdb.sh $(KDIR) $(built)

check-selftest: | $(addprefix $(stamp)-,build check) ## prove that every gate of make check can fail
	@tools/build/check_selftest.sh

contexts-selftest: | $(addprefix $(stamp)-,build vm kunit wcet) ## prove that the tests of contexts and locks can fail (minutes)
	@tools/vm/contexts_selftest.sh

fuzz: | $(addprefix $(stamp)-,build fuzz) ## feed the core random sequences of operations, under sanitizers [SECONDS=60]
	@$(MAKE) -s -C tools/host fuzz SECONDS=$(SECONDS)

random-10m: | $(stamp)-build ## ten million random operations on the core against a model [SEED=1]
	@$(MAKE) -s -C tools/host random-10m $(if $(SEED),SEED=$(SEED))

coverage: | $(addprefix $(stamp)-,build coverage) ## lines and branches of the core that its tests reach
	@$(MAKE) -s -C tools/host coverage

mutation: | $(addprefix $(stamp)-,build fuzz) ## seed each single fault in the core: how many do the tests kill? (minutes)
	@$(MAKE) -s -C tools/host mutation

seed-faults: | $(stamp)-build ## show the random test faults that it must catch
	@$(MAKE) -s -C tools/host seed-faults

bench: tools | $(addprefix $(stamp)-,build vm) ## head to head with kmalloc, kmem_cache, mempool, gen_pool: table, build/bench.csv [KERNEL=amd64]
	@tools/bench/run.sh KERNEL=$(KERNEL)

bench-core: | $(addprefix $(stamp)-,build bench) ## the core against glibc, jemalloc and mimalloc: table, CSV, SVG [ROUNDS=5]
	@$(MAKE) -s -C tools/host bench ROUNDS=$(ROUNDS)

bare-test: | $(stamp)-bare ## demo and test in a fresh Debian with only git and make
	@tools/build/bare.sh

traces: ## record the allocation traces anew into tools/traces (minutes)
	@tools/traces/record-kernel.sh
	@tools/traces/record-program.sh

install: modules tools ## install modules, headers, command, man pages and udev rule [KVER= DESTDIR= PREFIX=]
	install -D -m 644 -t $(moddir)/updates $(built)/tlsf_mod.ko $(built)/selftest/tlsf_selftest.ko
	depmod $(if $(DESTDIR),-b $(DESTDIR)) $(KVER)
	install -D -m 644 -t $(headers)/include/linux include/linux/tlsf.h
	install -D -m 644 -t $(headers)/$(KVER) $(built)/Module.symvers
	install -D -m 644 -t $(DESTDIR)$(PREFIX)/include/linux include/uapi/linux/tlsf.h
	install -D -m 755 -t $(DESTDIR)$(PREFIX)/bin build/tools/tlsf
	install -m 755 tools/cli/plot.py $(DESTDIR)$(PREFIX)/bin/tlsf-plot
	install -D -m 644 -t $(man)/man1 docs/man/tlsf.1
	install -D -m 644 -t $(man)/man4 docs/man/tlsf.4
	install -D -m 644 dist/90-tlsf.rules $(rules)
	$(if $(DESTDIR),,getent group tlsf >/dev/null || groupadd --system tlsf)

uninstall: ## remove what install put there, but not the group [KVER= DESTDIR= PREFIX=]
	rm -f $(moddir)/updates/tlsf_mod.ko $(moddir)/updates/tlsf_selftest.ko $(rules) $(DESTDIR)$(PREFIX)/bin/tlsf $(DESTDIR)$(PREFIX)/bin/tlsf-plot \
		$(DESTDIR)$(PREFIX)/include/linux/tlsf.h $(man)/man1/tlsf.1 $(man)/man4/tlsf.4
	rm -rf $(headers)
	depmod $(if $(DESTDIR),-b $(DESTDIR)) $(KVER)

clean: ## remove build/, but not the cache of kernels
	rm -rf build
