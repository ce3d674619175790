# SPDX-License-Identifier: GPL-2.0-only
"""Whose code an address is, by a System.map."""

import struct
from pathlib import Path

import pytest

from zapbench.error import EnvironmentMissing
from zapbench.explain import symbols
from zapbench.explain.symbols import OTHER, USER, Kind, Symbols

MAP = """\
0000000000000000 D __per_cpu_start
ffffffff81000000 T _text
ffffffff81000000 T _stext
ffffffff81000000 T startup_64
ffffffff81000100 T __memcpy
ffffffff81000100 W memcpy
ffffffff81000180 t zap.isra.0
ffffffff81000200 t zap.isra.0.cold
ffffffff81000300 T __entry_text_start
ffffffff81000340 T entry_SYSCALL_64
ffffffff81000353 T entry_SYSCALL_64_after_hwframe
ffffffff81000400 T irq_entries_start
ffffffff81000500 T asm_exc_page_fault
ffffffff81000510 T asm_exc_debug
ffffffff81000520 T asm_sysvec_apic_timer_interrupt
ffffffff81000530 t error_entry
ffffffff81000600 T __entry_text_end
ffffffff81000700 T _etext
ffffffff81100000 R a_table
ffffffff81200000 T _sinittext
ffffffff81200010 t setup
ffffffff81200100 T _einittext
ffffffff81300000 B _end
"""


def known() -> Symbols:
    found = symbols.parse(MAP)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("address", "name"),
    [
        (0x401000, USER),
        (0xFFFFFFFF80FFFFFF, OTHER),
        (0xFFFFFFFF81000100, "memcpy"),
        (0xFFFFFFFF8100017F, "memcpy"),
        (0xFFFFFFFF81000180, "zap.isra.0"),
        (0xFFFFFFFF81000200, "zap.isra.0.cold"),
        (0xFFFFFFFF81000360, "entry_SYSCALL_64"),
        (0xFFFFFFFF812000FF, "setup"),
        (0xFFFFFFFF81200100, OTHER),
        (0xFFFFFFFFC0000000, OTHER),
    ],
)
def test_an_address_belongs_to_one_name(address: int, name: str) -> None:
    assert known().name(address) == name


def test_names_do_not_depend_on_the_order_of_aliases() -> None:
    assert symbols.parse("".join(reversed(MAP.splitlines(keepends=True)))) == known()


def test_the_plugin_is_told_what_is_special() -> None:
    found = known()
    kinds = {name: found.kind(index) for index, name in enumerate(found.names)}
    assert {name: kind for name, kind in kinds.items() if kind} == {
        "zap.isra.0.cold": Kind.BLOCKS,
        "__entry_text_start": Kind.BLOCKS,
        "entry_SYSCALL_64": Kind.ROOT,
        "irq_entries_start": Kind.EXCEPTION | Kind.ROOT | Kind.BLOCKS,
        "asm_exc_page_fault": Kind.EXCEPTION | Kind.FAULT,
        "asm_exc_debug": Kind.EXCEPTION,
        "asm_sysvec_apic_timer_interrupt": Kind.EXCEPTION | Kind.ROOT,
        "error_entry": Kind.BLOCKS,
    }
    data = found.functions()
    (count,) = struct.unpack_from("<Q", data, len(symbols.MAGIC))
    assert count == len(found.names)
    pairs = list(struct.iter_unpack("<2Q", data[len(symbols.MAGIC) + 8 :]))
    assert pairs == list(zip(found.addresses, kinds.values(), strict=True))


def test_a_foreign_image_without_a_map_is_one_line(tmp_path: Path) -> None:
    image = tmp_path / "bzImage"
    with pytest.raises(EnvironmentMissing, match=r"^there is no System\.map next to .*bzImage: "):
        symbols.read(image)


@pytest.mark.parametrize("text", ["", "no map\n", MAP.replace("_stext", "other"), MAP[:100]])
def test_what_is_no_map_is_one_line(tmp_path: Path, text: str) -> None:
    (tmp_path / "System.map").write_text(text)
    with pytest.raises(EnvironmentMissing, match=r"^\S+/System\.map is no System\.map of an x86"):
        symbols.read(tmp_path / "bzImage")


def test_a_map_is_read(tmp_path: Path) -> None:
    (tmp_path / "System.map").write_text(MAP)
    assert symbols.read(tmp_path / "bzImage") == known()


def test_all_names_of_functions_are_known() -> None:
    assert {"__memcpy", "memcpy", "zap.isra.0.cold", "setup"} <= known().known
    assert not {"a_table", "_end", "__per_cpu_start"} & known().known
