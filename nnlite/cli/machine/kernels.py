"""The environment in which OpenBLAS, NumPy's usual BLAS, is quickest; set before NumPy is loaded.

OpenBLAS chooses its kernels when it is loaded, first by the processor's family and model numbers,
and by its features only where it does not know the numbers. Some numbers stand for processors that
came before AVX-512 (a virtual machine may show such a number beside newer features, and so do
families that are newer than OpenBLAS); they get older kernels whatever the features are. Measured
on one core, matrix products in float32 then take about 1.5 times as long.

This module imports nothing that takes time, and no NumPy.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, MutableMapping

AVX512 = frozenset({"avx512f", "avx512dq", "avx512cd", "avx512bw", "avx512vl"})
"""The features that OpenBLAS's SkylakeX kernels are compiled for."""

_OLDER_MODELS = frozenset(
    {0x56, 0x57, 0x5C, 0x5E, 0x5F, 0x66, 0x7A, 0x8E, 0x9E, 0xA5, 0xA6, *range(0x55)}
)
"""Of Intel's family 6: from OpenBLAS's driver/others/dynamic.c, and the same when the libraries of
NumPy 2.0 to 2.4 were asked with a pretended CPUID."""

_THREADS = ("OPENBLAS_NUM_THREADS", "GOTO_NUM_THREADS", "OMP_NUM_THREADS")


def better_environment(environ: Mapping[str, str], cpuinfo: str = "") -> dict[str, str]:
    """The variables to add to `environ` before NumPy is loaded, so that small models are quick.

    Parameters
    ----------
    environ : mapping of str to str
        What is set already; none of it is changed.
    cpuinfo : str
        The text of ``/proc/cpuinfo``, or of its first processor; empty where there is none.

    Returns
    -------
    dict from str to str
        ``OPENBLAS_CORETYPE``, where the processor has AVX-512 and OpenBLAS would not see it, and
        ``OPENBLAS_NUM_THREADS``, 1: the products of small models are so short that other threads
        do not pay, and where another program keeps a processor busy, a product waits for the
        thread that is there. Measured: 20 ms for one of 0.3 ms.

    Examples
    --------
    >>> better_environment({"OMP_NUM_THREADS": "4"})
    {}
    >>> better_environment({})
    {'OPENBLAS_NUM_THREADS': '1'}
    """
    better = {}
    if "OPENBLAS_CORETYPE" not in environ and chosen_too_old(cpuinfo):
        better["OPENBLAS_CORETYPE"] = "SkylakeX"
    if not any(name in environ for name in _THREADS):
        better["OPENBLAS_NUM_THREADS"] = "1"
    return better


def chosen_too_old(cpuinfo: str) -> bool:
    """Whether OpenBLAS takes kernels without AVX-512 for a processor that has it.

    Parameters
    ----------
    cpuinfo : str
        As for `better_environment`.
    """
    entries = first_processor(cpuinfo)
    if not AVX512.issubset(entries.get("flags", "").split()):
        return False
    try:
        family, model = int(entries["cpu family"]), int(entries["model"])
    except (KeyError, ValueError):
        return False
    match entries.get("vendor_id"):
        case "GenuineIntel":
            return family != 6 or model in _OLDER_MODELS
        case "AuthenticAMD":
            return family < 0x19
        case "HygonGenuine":
            return family <= 0x18
    return False


def first_processor(cpuinfo: str) -> dict[str, str]:
    """The entries of ``/proc/cpuinfo`` for its first processor.

    Examples
    --------
    >>> first_processor("model\\t\\t: 85\\nflags\\t\\t: fpu avx\\n\\nmodel\\t\\t: 86")
    {'model': '85', 'flags': 'fpu avx'}
    """
    lines = cpuinfo.strip().split("\n\n")[0].splitlines()
    parts = [line.partition(":") for line in lines]
    return {name.strip(): value.strip() for name, colon, value in parts if colon}


def read_cpuinfo() -> str:
    """The start of ``/proc/cpuinfo``, with its first processor; empty where there is none."""
    if sys.platform != "linux" or os.uname().machine != "x86_64":
        return ""
    try:
        with open("/proc/cpuinfo", encoding="utf-8", errors="replace") as file:
            return file.read(1 << 14)
    except OSError:
        return ""


def prepare(environ: MutableMapping[str, str] | None = None) -> dict[str, str]:
    """Put `better_environment` into the environment of this process, if NumPy is still to come.

    Parameters
    ----------
    environ : mutable mapping of str to str, optional
        ``os.environ`` if left out.

    Returns
    -------
    dict from str to str
        What was set; empty where NumPy has been loaded, as it is too late then.
    """
    if "numpy" in sys.modules:
        return {}
    environ = os.environ if environ is None else environ
    better = better_environment(environ, read_cpuinfo())
    environ.update(better)
    return better
