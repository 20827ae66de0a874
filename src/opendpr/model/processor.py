"""What the processor can do, as the kernel lists it."""

from __future__ import annotations

import os
import platform
import re
from functools import cache
from pathlib import Path

CPU_INFO = Path("/proc/cpuinfo")


def gains_by_bf16(cpu_info: str) -> bool:
    """Whether a processor computes faster in bf16 than in fp32 (docs/decisions/0001-precision-by-processor.md).

    With matrix units (AMX) it does, and AMD's does at its double rate. Others that list bf16 are slower with it.

    Args:
        cpu_info: what `/proc/cpuinfo` holds
    """
    flags = set(_field(cpu_info, "flags").split())
    return "amx_bf16" in flags or ("avx512_bf16" in flags and _field(cpu_info, "vendor_id") == "AuthenticAMD")


@cache
def this_processor_gains_by_bf16() -> bool:
    """The same of this machine; False where the kernel has no such list."""
    try:
        return gains_by_bf16(CPU_INFO.read_text(encoding="utf-8", errors="replace"))
    except OSError:
        return False


@cache
def processor() -> tuple[str, str]:
    """What this machine's processor is called and what it can do: machine code made for one may not run on another."""
    try:
        listed = CPU_INFO.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return platform.processor(), platform.machine()
    return _field(listed, "model name"), _field(listed, "flags")


def usable_cores() -> int | None:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()


def _field(cpu_info: str, name: str) -> str:
    """The value of a field, of the first core."""
    match = re.search(rf"^{name}\s*:(.*)$", cpu_info, re.MULTILINE)
    return match[1].strip() if match else ""
