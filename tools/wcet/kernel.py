# SPDX-License-Identifier: GPL-2.0-only
"""The kernel inside a bzImage, and where its exported functions are.

Room: wcet. Debian's System.map is a stub, and its vmlinux is half a gigabyte away; but
the image itself has the code, and in __ksymtab the address of every exported symbol.
"""
import lzma
import struct
import subprocess

ENTRY = 12  # of __ksymtab: offsets of value, name, namespace, each from where it stands


def extract_vmlinux(image):
    """The ELF file that a bzImage carries, as bytes."""
    with open(image, "rb") as f:
        data = f.read()
    if data[0x202:0x206] != b"HdrS":
        raise ValueError(f"{image} is no bzImage")
    # Documentation/x86/boot.rst: setup_sects, payload_offset, payload_length
    start = ((data[0x1F1] or 4) + 1) * 512
    offset, length = struct.unpack_from("<II", data, 0x248)
    return decompress(data[start + offset:][:length], image)


def decompress(payload, image):
    if payload.startswith(b"\xfd7zXZ"):
        return lzma.LZMADecompressor().decompress(payload)
    if payload.startswith(b"\x28\xb5\x2f\xfd"):
        run = subprocess.run(["zstd", "-dcq"], input=payload, capture_output=True, check=False)
        if run.stdout:  # the length behind the data makes zstd complain
            return run.stdout
    raise ValueError(f"{image}: its payload is neither xz nor zstd")


def exported(elf):
    """{name: address} of all exported symbols."""
    symbols = {}
    for table in filter(None, map(elf.section, ("__ksymtab", "__ksymtab_gpl"))):
        for at in range(0, table.size, ENTRY):
            value, name = struct.unpack_from("<ii", elf.data, table.offset + at)
            where = table.addr + at
            symbols[c_string(elf, where + 4 + name)] = where + value
    return symbols


def c_string(elf, addr):
    section = next(s for s in elf.sections if s.addr <= addr < s.addr + s.size)
    return elf.string(section.offset + addr - section.addr)
