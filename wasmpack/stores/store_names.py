"""The names of the local store, and those that a user means by a text."""

import contextlib
import re
from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase

from wasmpack.errors import NotFound, WrongUsage
from wasmpack.oci.descriptor import Digest
from wasmpack.oci.reference import LIBRARY, Reference
from wasmpack.stores.index_json import Entry

_GLOB = re.compile(r"[*?\[]")
_DIGEST = re.compile(r"sha256:[0-9a-f]{12,64}")
"""A digest, whole or as ``list`` shows it."""
Named = tuple[Reference, Digest]


class StoreNames:
    """All names of a store, read once."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        """:param entries: of the local store's index"""
        self._by_name: dict[str, Named] = {}
        self._by_repository: dict[str, list[Named]] = {}
        for entry in entries:
            if entry.name is None:
                continue
            with contextlib.suppress(WrongUsage):  # not written by us
                named = Reference.parse(entry.name), entry.descriptor.digest
                self._by_name[entry.name] = named
                self._by_repository.setdefault(named[0].name, []).append(named)

    def meant(self, texts: Sequence[str]) -> Mapping[str, Named]:
        """The names that are meant, by their full form.

        A text is a name, a repository, a pattern (``*`` stands for any characters) or a digest.

        :raises NotFound: a text by which nothing is meant
        :raises WrongUsage: the start of several digests
        """
        found: dict[str, Named] = {}
        for text in texts:
            rows = self._rows(text.removeprefix("docker://"))
            if not rows:
                raise NotFound(f"{text}: not in the local store", hint="wasmpack list")
            found |= rows
        return found

    def _rows(self, text: str) -> Mapping[str, Named]:
        if not is_name(text):
            matching = self._with_digest if _DIGEST.fullmatch(text) else self._matching
            return matching(text)
        reference = Reference.parse(text)
        if reference.digest is None and reference.tag is not None:
            row = self._by_name.get(reference.full)
            return {reference.full: row} if row else {}
        below = self._by_repository.get(reference.name, ())
        return {row[0].full: row for row in below if reference.digest in {None, row[1]}}

    def _matching(self, pattern: str) -> Mapping[str, Named]:
        return {full: row for full, row in self._by_name.items() if _matches(row[0], pattern)}

    def _with_digest(self, start: str) -> Mapping[str, Named]:
        found = {full: row for full, row in self._by_name.items() if str(row[1]).startswith(start)}
        if len({digest for _, digest in found.values()}) > 1:
            raise WrongUsage(
                f"{start}: several images have digests that start like this",
                hint="wasmpack list --format json shows whole digests",
            )
        return found


def is_name(text: str) -> bool:
    """True for a name or a repository, false for a pattern or a digest."""
    return not (_GLOB.search(text) or _DIGEST.fullmatch(text.removeprefix("docker://")))


def shown_name(full: str) -> str:
    """A name as users write it."""
    return full.removeprefix(LIBRARY)


def _matches(reference: Reference, pattern: str) -> bool:
    """True if a pattern fits the name, with or without its tag."""
    names = (reference.full, reference.name)
    return any(fnmatchcase(form, pattern) for name in names for form in (name, shown_name(name)))
