# SPDX-License-Identifier: GPL-2.0-only
"""ELF files, 64-bit little-endian: sections, symbols, relocations, and nothing else.

Room: wcet. A relocatable file has no addresses; here section n is given the address
n * 2^32, so that every byte of it has one, and branches between sections can be followed
like any other. In a linked file the addresses are its own.
"""
import struct
from collections import namedtuple

Section = namedtuple("Section", "name kind flags addr offset size link info entsize base")
Symbol = namedtuple("Symbol", "name addr size is_function")
Reloc = namedtuple("Reloc", "symbol addr addend")  # addr of the symbol, None: external

SHT_SYMTAB, SHT_RELA, SHT_NOBITS = 2, 4, 8
SHF_EXECINSTR = 4
ET_REL = 1
STT_FUNC, STT_SECTION = 2, 3


class Elf:
    """One file, read whole."""

    def __init__(self, data, path):
        if data[:6] != b"\x7fELF\x02\x01":
            raise ValueError(f"{path} is no 64-bit little-endian ELF file")
        self.data, self.path = data, path
        self.relocatable = struct.unpack_from("<H", data, 16)[0] == ET_REL
        self.sections = self._read_sections()
        self.symbols, self.relocs = [], {}
        for section in self.sections:
            if section.kind == SHT_SYMTAB:
                self.symbols = self._read_symbols(section)
        for section in self.sections:
            if section.kind == SHT_RELA:
                self._read_relocs(section)

    def _read_sections(self):
        start, = struct.unpack_from("<Q", self.data, 0x28)
        count, names = struct.unpack_from("<HH", self.data, 0x3C)
        raw = [struct.unpack_from("<IIQQQQIIQQ", self.data, start + 64 * i)
               for i in range(count)]
        return [Section(self.string(raw[names][4] + r[0]), r[1], r[2], r[3], r[4], r[5],
                        r[6], r[7], r[9], i << 32 if self.relocatable else r[3])
                for i, r in enumerate(raw)]

    def string(self, offset):
        return self.data[offset:self.data.index(b"\0", offset)].decode()

    def section(self, name):
        """The section of that name, or None."""
        return next((s for s in self.sections if s.name == name), None)

    def bytes_at(self, addr, size):
        """Contents at an address, or None."""
        for s in self.sections:
            at = addr - s.base
            if s.base and s.kind != SHT_NOBITS and 0 <= at <= s.size - size:
                return self.data[s.offset + at:s.offset + at + size]
        return None

    def executable(self):
        return [s for s in self.sections if s.flags & SHF_EXECINSTR and s.size]

    def _read_symbols(self, table):
        strings = self.sections[table.link].offset
        return [self._symbol(strings, *struct.unpack_from("<IBBHQQ", self.data, at))
                for at in range(table.offset, table.offset + table.size, 24)]

    def _symbol(self, strings, name, info, _other, index, value, size):
        known = 0 < index < len(self.sections)
        base = self.sections[index].base if known and self.relocatable else 0
        text = self.sections[index].name if known and info & 15 == STT_SECTION \
            else self.string(strings + name)
        return Symbol(text, base + value if known else None, size, info & 15 == STT_FUNC)

    def _read_relocs(self, table):
        base = self.sections[table.info].base
        for at in range(table.offset, table.offset + table.size, 24):
            offset, info, addend = struct.unpack_from("<QQq", self.data, at)
            symbol = self.symbols[info >> 32]
            self.relocs[base + offset] = Reloc(symbol.name, symbol.addr, addend)
