# SPDX-License-Identifier: GPL-2.0-only
"""ELF files, 64-bit little-endian, with an address for every byte of code and of tables.

Room: wcet. Read by pyelftools (Debian: python3-pyelftools). A relocatable file has no
addresses; here section n is given the address n * 2^32, so that branches between sections
can be followed like any other. In a linked file the addresses are its own.
"""
import io
from collections import namedtuple

from elftools.elf.constants import SH_FLAGS
from elftools.elf.elffile import ELFFile
from elftools.elf.relocation import RelocationSection
from elftools.elf.sections import SymbolTableSection

Section = namedtuple("Section", "name has_bytes flags addr offset size base")
Symbol = namedtuple("Symbol", "name addr size is_function")
Reloc = namedtuple("Reloc", "symbol addr addend")  # addr of the symbol, None: external


class Elf:
    """One file, read whole."""

    def __init__(self, data, path):
        elf = ELFFile(io.BytesIO(data))
        if elf.elfclass != 64 or not elf.little_endian:
            raise ValueError(f"{path} is no 64-bit little-endian ELF file")
        self.data, self.path = data, path
        self.relocatable = elf["e_type"] == "ET_REL"
        self.sections = [self._section(i, s) for i, s in enumerate(elf.iter_sections())]
        self.symbols, self.relocs = [], {}
        for table in elf.iter_sections():
            if isinstance(table, SymbolTableSection) and table["sh_type"] == "SHT_SYMTAB":
                self.symbols = [self._symbol(s) for s in table.iter_symbols()]
        for table in elf.iter_sections():
            if isinstance(table, RelocationSection):
                self._read_relocs(table)

    def _section(self, index, s):
        return Section(s.name, s["sh_type"] != "SHT_NOBITS", s["sh_flags"], s["sh_addr"],
                       s["sh_offset"], s["sh_size"],
                       index << 32 if self.relocatable else s["sh_addr"])

    def string(self, offset):
        return self.data[offset:self.data.index(b"\0", offset)].decode()

    def section(self, name):
        """The section of that name, or None."""
        return next((s for s in self.sections if s.name == name), None)

    def bytes_at(self, addr, size):
        """Contents at an address, or None."""
        for s in self.sections:
            at = addr - s.base
            if s.base and s.has_bytes and 0 <= at <= s.size - size:
                return self.data[s.offset + at:s.offset + at + size]
        return None

    def executable(self):
        return [s for s in self.sections if s.flags & SH_FLAGS.SHF_EXECINSTR and s.size]

    def _symbol(self, s):
        """One without a section of its own, as an external one, has no address."""
        index, kind = s["st_shndx"], s["st_info"]["type"]
        section = self.sections[index] if isinstance(index, int) else None
        name = section.name if section and kind == "STT_SECTION" else s.name
        base = section.base if section and self.relocatable else 0
        return Symbol(name, base + s["st_value"] if section else None, s["st_size"],
                      kind == "STT_FUNC")

    def _read_relocs(self, table):
        """Those of what is in memory when it runs: debug information has the most."""
        target = self.sections[table["sh_info"]]
        if target.flags & SH_FLAGS.SHF_ALLOC:
            for r in table.iter_relocations():
                symbol = self.symbols[r["r_info_sym"]]
                self.relocs[target.base + r["r_offset"]] = Reloc(symbol.name, symbol.addr,
                                                                 r["r_addend"])
