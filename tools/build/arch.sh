# shellcheck shell=bash disable=SC2034,SC2154
# SPDX-License-Identifier: GPL-2.0-only
#
# What differs from one architecture to another when a kernel is built and booted. This,
# and the fragment tools/vm/config/ARCH of a configuration, are all that say so.
#
# Room: build. Sourced by bash scripts after lib.sh; "arch_select ARCH" sets arch_*.

# A kernel of our own is for a PC unless its name says otherwise.
arch_of_name() {
	case $1 in
	arm64*) echo arm64 ;;
	*) echo x86_64 ;;
	esac
}

# An arm64 Image has four letters, "ARMd", at byte 56.
arch_of_image() {
	case $(head -c 60 "$1" | tail -c 4 | tr -d '\0') in
	ARMd) echo arm64 ;;
	*) echo x86_64 ;;
	esac
}

# arch_deps     group of tools/build/deps.sh with what boots it
# arch_tree     Debian tree in which to build; empty for this machine
# arch_prefix   what the names of its compiler and linker begin with
# arch_image    the bootable file, in a kernel's build directory
# arch_tools    where programs for guests are built
# arch_make     arguments for "make" of these
# arch_busybox  a static busybox
# arch_qemu     emulator, arch_machine and arch_cpu its machine and, without KVM, processor
# arch_console  kernel's name of the serial port for its log, arch_output of that for output
# arch_line     more of the kernel's command line
# arch_devices  QEMU's devices: the port for output, of chardev "output", and what else
# arch_fair     one part in so many of the usual operations is what a stress test can do with
#               more processors than the host has: see below
# arch_end      status of QEMU when the guest has ended the machine itself, see vm/init
arch_select() {
	arch_name=$1
	"arch_select_$1"
}

# On a busy host the guest must not draw conclusions about its hardware: that the timer
# is not connected (no_timer_check), or the serial port's interrupt nobody's (noirqdebug).
arch_select_x86_64() {
	arch_deps=vm arch_tree="" arch_prefix=""
	arch_image=arch/x86/boot/bzImage
	arch_tools=$tlsf_root/build/tools
	arch_make=()
	arch_busybox=$(command -v busybox) || arch_busybox=""
	arch_qemu=qemu-system-x86_64 arch_machine=pc arch_cpu=max,-rdrand,-rdseed
	arch_console=ttyS0 arch_output=ttyS1
	arch_line="noirqdebug no_timer_check"
	arch_devices=(-serial chardev:output -device "isa-debug-exit,iobase=0xf4,iosize=1")
	arch_fair=1
	arch_end=85
}

# The compilers are in a tree of their own: as packages they cannot be installed beside
# gcc-multilib. With priorities in the GIC the PMU's interrupts are NMIs. Spinlocks are
# fair; those of a PC that knows it is emulated are not. So with more processors than the
# host has, the next in the queue is often one that does not run, and all wait for it.
arch_select_arm64() {
	arch_deps=arm64
	arch_tree=$("$tlsf_root/tools/build/cross.sh")
	arch_prefix=aarch64-linux-gnu-
	arch_image=arch/arm64/boot/Image
	arch_tools=$tlsf_root/build/tools-arm64
	arch_make=(CC="${arch_prefix}gcc" CC32=arm-linux-gnueabihf-gcc)
	arch_busybox=$arch_tree/bin/busybox
	arch_qemu=qemu-system-aarch64 arch_machine=virt,gic-version=3 arch_cpu=max
	arch_console=ttyAMA0 arch_output=ttyS0
	arch_line="irqchip.gicv3_pseudo_nmi=1"
	arch_devices=(-device "pci-serial,chardev=output")
	arch_fair=60
	arch_end=0
}
