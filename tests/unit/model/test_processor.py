"""Which precision `auto` means is read from what the processor is, so that no load can change it."""

import pytest

from opendpr.model.processor import gains_by_bf16, has_matrix_units


def cpu_info(vendor: str, flags: str) -> str:
    return f"processor\t: 0\nvendor_id\t: {vendor}\nflags\t\t: fpu {flags} sse\n\nprocessor\t: 1\n"


@pytest.mark.parametrize(
    ("vendor", "flags", "gains", "units"),
    [
        ("GenuineIntel", "avx512_bf16 amx_bf16 amx_tile", True, True),
        ("GenuineIntel", "avx512_bf16", False, False),
        ("AuthenticAMD", "avx512_bf16", True, False),
        ("AuthenticAMD", "avx2", False, False),
    ],
)
def test_bf16_is_for_matrix_units_and_the_double_rate(vendor: str, flags: str, gains: bool, units: bool) -> None:
    assert gains_by_bf16(cpu_info(vendor, flags)) is gains
    assert has_matrix_units(cpu_info(vendor, flags)) is units


def test_a_machine_without_such_a_list_takes_fp32() -> None:
    assert not gains_by_bf16("Processor : ARMv8\nFeatures : bf16\n")
