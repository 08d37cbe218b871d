# SPDX-License-Identifier: GPL-2.0-only
#
# Makes a compiler's x86-64 assembly count its own instructions: one is added to
# counted_instructions before each of them, and flags, registers and what lies below the
# stack pointer stay as they are.
#
# Room: host; called by the Makefile for steps. An instruction is a line that
# begins with a tab and a letter; directives begin with a dot, labels with neither.
1i\
	.macro COUNT_ONE\
	leaq	-128(%rsp), %rsp\
	pushfq\
	incq	counted_instructions(%rip)\
	popfq\
	leaq	128(%rsp), %rsp\
	.endm
/^\t[a-z]/i\
	COUNT_ONE
