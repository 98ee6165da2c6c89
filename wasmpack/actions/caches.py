"""The caches: what is known already, and need not be worked out again."""

from dataclasses import dataclass
from pathlib import Path

from wasmpack.dry_run.code_cache import cache_path, clear_cache
from wasmpack.files.owned import held
from wasmpack.stores.local import forget_reports, reports_path


@dataclass(frozen=True, slots=True, kw_only=True)
class Cache:
    """One cache."""

    name: str
    """``verdicts`` or ``code``."""
    path: Path | None
    """Its directory, whether or not it exists; None if it is turned off."""
    files: int
    size: int
    """Bytes of all files."""

    def as_json(self) -> dict[str, object]:
        """One row of ``cache --format json``."""
        path = None if self.path is None else str(self.path)
        return {"name": self.name, "path": path, "files": self.files, "bytes": self.size}


def list_caches() -> list[Cache]:
    """Reports of images that were accepted, and compiled code."""
    found = []
    for name, path in (("verdicts", reports_path()), ("code", cache_path())):
        files, size = held(path) if path else (0, 0)
        found.append(Cache(name=name, path=path, files=files, size=size))
    return found


def clear_caches() -> tuple[int, int]:
    """Remove all that is cached: how many files, how many bytes. Images stay."""
    (files, size), (others, more) = clear_cache(), forget_reports()
    return files + others, size + more
