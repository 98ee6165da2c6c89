"""Every way wasmpack can fail, as one tree. The class owns the exit code.

::

    WasmpackError            1    anything else
    ├── WrongUsage           2    an argument that makes no sense
    ├── BadArtifact          3    a module, configuration or image that is broken
    ├── NotFound             4    no such file, tag, manifest or repository
    ├── AccessRefused        5    the registry answered 401 or 403
    ├── RegistryUnavailable  6    unreachable, TLS, timeout, protocol, 5xx
    ├── DigestMismatch       7    bytes that are not what their descriptor says
    └── WouldOverwrite       8    ``--force`` does it

A failure means "could not do it". What is wrong with an artifact that *could* be read is a
:class:`wasmpack.findings.Finding`, not an exception.

>>> from wasmpack.errors import NotFound
>>> str(NotFound("no image 'x:v1' in the local store", hint="wasmpack list"))
"no image 'x:v1' in the local store"
"""

from collections.abc import Callable

from wasmpack.redaction import bounded

Notice = Callable[[str], None]
"""Receives one line that the user should know but can do without."""


def silence(_text: str) -> None:
    """A :data:`Notice` that drops its text."""


class WasmpackWarning(UserWarning):
    """A remark on a result that is right anyway."""


class WasmpackError(Exception):
    """A failure to report: what was given, what was expected, the next command."""

    exit_code = 1

    def __init__(self, message: str, *, hint: str = "") -> None:
        """Cut the texts and remove secrets here, since they may be shown anywhere."""
        self.message, self.hint = bounded(message), bounded(hint)
        super().__init__(self.message)


class WrongUsage(WasmpackError):
    """An argument that makes no sense: a reference, a place, an annotation."""

    exit_code = 2


class BadArtifact(WasmpackError):
    """Bytes that are not what they should be: no wasm, no JSON, no manifest, no image."""

    exit_code = 3


class NotFound(WasmpackError):
    """A file, tag, manifest, blob or repository that is not there."""

    exit_code = 4


class AccessRefused(WasmpackError):
    """The registry answered 401 or 403 after all available credentials were tried."""

    exit_code = 5


class RegistryUnavailable(WasmpackError):
    """No usable answer: refused, unknown host, TLS, timeout, protocol error, 5xx."""

    exit_code = 6


class DigestMismatch(WasmpackError):
    """A digest or size that differs from the descriptor's. Nothing is kept."""

    exit_code = 7


class WouldOverwrite(WasmpackError):
    """Something else is there already; ``--force`` replaces it."""

    exit_code = 8
