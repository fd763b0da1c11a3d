"""Which BLAS NumPy uses, and with which kernels and how many threads."""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Blas:
    """The BLAS of this process; what could not be found out is None."""

    name: str
    version: str | None = None
    kernels: str | None = None
    threads: int | None = None

    def __str__(self) -> str:
        kernels = "kernels unknown" if self.kernels is None else f"{self.kernels} kernels"
        threads = "threads unknown" if self.threads is None else f"{self.threads} thread"
        plural = "" if self.threads in (None, 1) else "s"
        return f"{self.name} {self.version or ''}".rstrip() + f", {kernels}, {threads}{plural}"


def blas() -> Blas:
    """The BLAS that NumPy is linked with; an OpenBLAS is asked, others have no such questions."""
    import numpy as np

    config: Any = np.show_config(mode="dicts")
    built = config.get("Build Dependencies", {}).get("blas", {})
    name = built.get("name", "unknown")
    for path in _openblas_files(Path(np.__file__).parent):
        found = _ask(path)
        if found is not None:
            return found
    return Blas(name, built.get("version"))


def _openblas_files(package: Path) -> Iterator[Path]:
    """OpenBLAS libraries: NumPy's own first, then any that this process has loaded."""
    for folder in (package.parent / "numpy.libs", package / ".dylibs"):
        yield from sorted(folder.glob("*openblas*"))
    if sys.platform == "linux":
        maps = Path("/proc/self/maps").read_text(encoding="utf-8", errors="replace")
        paths = [line.split(maxsplit=5)[5] for line in maps.splitlines() if "openblas" in line]
        yield from map(Path, dict.fromkeys(paths))


def _ask(path: Path) -> Blas | None:
    """What an OpenBLAS says of itself; its functions' names depend on how it was built."""
    try:
        library = ctypes.CDLL(str(path))
    except OSError:
        return None
    for prefix in ("scipy_", ""):
        for suffix in ("64_", ""):
            try:
                config, core, threads = [
                    getattr(library, f"{prefix}openblas_get_{question}{suffix}")
                    for question in ("config", "corename", "num_threads")
                ]
            except AttributeError:
                continue
            config.restype = core.restype = ctypes.c_char_p
            version = config().decode().split()
            return Blas("OpenBLAS", version[1], core().decode(), threads())
    return None
