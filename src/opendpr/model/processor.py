"""What the processor can do, as the kernel lists it."""

from __future__ import annotations

import os
import platform
import re
from functools import cache
from pathlib import Path

CPU_INFO = Path("/proc/cpuinfo")


def has_matrix_units(cpu_info: str) -> bool:
    """Whether a processor has units for products of bf16 matrices (AMX).

    Args:
        cpu_info: what `/proc/cpuinfo` holds
    """
    return "amx_bf16" in _field(cpu_info, "flags").split()


def gains_by_bf16(cpu_info: str) -> bool:
    """Whether a processor computes faster in bf16 than in fp32 (docs/decisions/0001-precision-by-processor.md).

    With matrix units it does, and AMD's does at its double rate. Others that list bf16 are slower with it.

    Args:
        cpu_info: what `/proc/cpuinfo` holds
    """
    doubled = _field(cpu_info, "vendor_id") == "AuthenticAMD" and "avx512_bf16" in _field(cpu_info, "flags").split()
    return doubled or has_matrix_units(cpu_info)


@cache
def this_cpu_info() -> str:
    """What the kernel lists of this machine's processor; empty where it has no such list."""
    try:
        return CPU_INFO.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


@cache
def processor() -> tuple[str, str]:
    """What this machine's processor is called and what it can do: machine code made for one may not run on another."""
    if listed := this_cpu_info():
        return _field(listed, "model name"), _field(listed, "flags")
    return platform.processor(), platform.machine()


def usable_cores() -> int | None:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()


def _field(cpu_info: str, name: str) -> str:
    """The value of a field, of the first core."""
    match = re.search(rf"^{name}\s*:(.*)$", cpu_info, re.MULTILINE)
    return match[1].strip() if match else ""
