#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Records the kernel's own allocations while a minimal Debian 12 boots to multi-user.
#
# Room: traces. Usage: record-kernel.sh [OUTDIR]    writes OUTDIR/debian-boot.trace.zst
# Builds a Debian root with its stock kernel and initramfs, boots it in QEMU without
# KVM on one processor, with the kmem tracepoints on from the kernel command line, and
# converts what they said. The kernel is installed in that root only. Needs root or
# sudo, the Debian mirror that apt uses, 3 GB of disk, and about five minutes.
set -euo pipefail
. "$(dirname "$0")/../build/lib.sh"

release=bookworm
packages=linux-image-amd64,initramfs-tools,systemd-sysv,udev,dbus,kmod,zstd
packages+=,ifupdown,isc-dhcp-client,rsyslog,cron,openssh-server
out=${1:-$here}
work=$tlsf_root/build/traces/debian-boot

# Frees by RCU are done in bulk, unseen by the tracepoint, unless no page is cached
# for the bulk: hence rcu_min_cached_objs=0.
cmdline="root=/dev/vda rw console=ttyS0 trace_event=kmem:kmalloc,kmem:kfree"
cmdline+=" trace_buf_size=64M rcutree.rcu_min_cached_objs=0"

clean() { as_root rm -rf "$work/root" "$work/root.img" "$work/raw.img"; }

# The sources that apt has for this release, whatever mirror they name; none makes
# mmdebstrap use its own.
sources() {
	# shellcheck disable=SC2016 # apt-get fills these in
	apt-get indextargets --format 'deb $(REPO_URI) $(RELEASE) $(COMPONENT)' \
		'Created-By: Packages' 'Origin: Debian' | grep -F " $release" || true
}

# What the guest gets on top of Debian: a name, a network, a last unit. That unit
# stops the recording and hands it over on the second disk. Addresses are hashed to 32
# bits in the trace's text unless hash-ptr is off.
write_overlay() {
	local etc=$work/overlay/etc
	mkdir -p "$etc/network" "$etc/systemd/system/multi-user.target.wants"
	echo debian >"$etc/hostname"
	echo '/dev/vda / ext4 errors=remount-ro 0 1' >"$etc/fstab"
	printf '%s\n' 'auto lo' 'iface lo inet loopback' \
		'allow-hotplug ens3' 'iface ens3 inet dhcp' >"$etc/network/interfaces"
	ln -s ../record-kmem.service "$etc/systemd/system/multi-user.target.wants/"
	cat >"$etc/systemd/system/record-kmem.service" <<'END'
[Unit]
Description=Hand the recorded allocations to the host and power off
DefaultDependencies=no
After=multi-user.target

[Service]
Type=oneshot
ExecStart=/bin/sh /etc/record-kmem
StandardError=journal+console
END
	cat >"$etc/record-kmem" <<'END'
set -eu
trap 'systemctl poweroff' EXIT
cd /sys/kernel/tracing
echo 0 >tracing_on
echo 0 >options/hash-ptr
{
	sed 's/^/# debian: /' /etc/debian_version
	uname -srv | sed 's/^/# kernel: /'
	sed 's/^/# stats: /' per_cpu/cpu0/stats
	cat trace
	echo '# complete'
} | gzip -1 >/dev/vdb
sync
END
}

build_root() {
	local mirror=()
	sources >"$work/sources.list"
	[ ! -s "$work/sources.list" ] || mirror=("$work/sources.list")
	as_root mmdebstrap --quiet --variant=minbase --include="$packages" \
		--aptopt='APT::Install-Recommends "false"' \
		--customize-hook="sync-in $work/overlay /" \
		"$release" "$work/root" "${mirror[@]}"
	truncate -s 2G "$work/root.img"
	as_root mkfs.ext4 -q -F -d "$work/root" "$work/root.img"
	cp "$work/root/boot/"vmlinuz-* "$work/vmlinuz"
	cp "$work/root/boot/"initrd.img-* "$work/initrd"
}

# Trailing zeros of the disk are no fault to gzip. The converter asks for the last
# line that the guest wrote, so a boot that hung or died cannot pass.
boot() {
	truncate -s 256M "$work/raw.img"
	timeout 300 qemu-system-x86_64 -accel tcg -smp 1 -m 1G -no-reboot \
		-display none -monitor none -serial "file:$work/boot.log" \
		-kernel "$work/vmlinuz" -initrd "$work/initrd" -append "$cmdline" \
		-drive "file=$work/root.img,format=raw,if=virtio" \
		-drive "file=$work/raw.img,format=raw,if=virtio" \
		-nic user,restrict=on,model=virtio-net-pci </dev/null ||
		die "the guest did not power off in 300 s; see $work/boot.log"
	gzip -dc "$work/raw.img" >"$work/raw.txt" ||
		die "the guest handed over no recording; see $work/boot.log"
}

said() { sed -n "s/^# $1: //p;/^# tracer/q" "$work/raw.txt"; }

convert() {
	python3 "$here/convert-recording.py" kmem "$work/raw.txt" \
		--header "recorded-from: kernel allocations (kmem:kmalloc, kmem:kfree) from early boot to multi-user" \
		--header "system: Debian $(said debian), minbase with ${packages//,/ }" \
		--header "kernel: $(said kernel)" \
		--header "machine: QEMU TCG, 1 processor, 1 GiB" \
		--header "recorded: $(date -u +%F)" \
		--header "recipe: tools/traces/record-kernel.sh" >"$work/debian-boot.trace"
	zstd -q -19 -f "$work/debian-boot.trace" -o "$out/debian-boot.trace.zst"
}

[ -d "$out" ] || die "no directory $out; create it first"
"$here/../build/deps.sh" traces
clean
rm -rf "$work"
mkdir -p "$work"
trap clean EXIT
write_overlay
say "building a Debian $release root"
build_root
say "booting it"
boot
convert
python3 "$here/lint-trace.py" "$out/debian-boot.trace.zst"
