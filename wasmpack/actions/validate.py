"""Would this target load it? The same rules for a file, a configuration and an image."""

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cache

from wasmpack.errors import BadArtifact, DigestMismatch, NotFound
from wasmpack.findings import Problem, Report, Severity, judge
from wasmpack.module.check import ModuleFacts, StartUp, examine, module_problems
from wasmpack.oci.descriptor import Descriptor
from wasmpack.oci.image import Variant
from wasmpack.oci.manifest import Index, Manifest
from wasmpack.readers.contents import LIMIT, Contents, linux_amd64, read_contents
from wasmpack.readers.fetch import Fetched, fetch
from wasmpack.runtime_config import abi_problems, config_problems, parse_runtime_config
from wasmpack.stores.ports import ImageReader, KeptReader, VerifiedStream
from wasmpack.targets import ImageRules, Reader, Target, choose, default_targets

UNREADABLE = (BadArtifact, DigestMismatch, NotFound)
"""What an image can be at fault with; anything else is the way to it."""


def validate_module(
    data: bytes,
    subject: str,
    *,
    targets: Sequence[str] = (),
    start_up: StartUp | None = None,
    strict: bool = False,
    runtime_config: bytes | None = None,
    packed: Variant | None = None,
    envoy: bool = False,
) -> Report:
    """Judge a module's bytes, with the runtime configuration it will be packed with.

    :param targets: names, or ``all``; none means the default targets
    :param packed: the variant it will be packed in: its fetchers' size limits hold too
    :param envoy: ask the Envoy of this machine too
    :raises WrongUsage: an unknown target
    :raises NotFound: ``envoy``, and there is none
    """
    facts = examine(data, start_up)
    more = _config_findings(runtime_config, facts)
    problems = {
        target.name: [
            *module_problems(facts, target.host, target.own_functions),
            *_size_problems(len(data), target.image, packed),
            *more,
        ]
        for target in choose(targets)
    }
    if envoy:
        from wasmpack.actions.final_word import ask_for_final_word

        ask_for_final_word(problems, data, facts, start_up)
    return judge(subject, "module", problems, strict_targets=bool(targets), strict=strict)


def validate_config(
    raw: bytes, subject: str, *, targets: Sequence[str] = (), strict: bool = False
) -> Report:
    """Judge a ``runtime-config.json``."""
    found = config_problems(raw, subject)
    problems = {target.name: found for target in choose(targets)}
    return judge(subject, "config", problems, strict_targets=bool(targets), strict=strict)


def validate_image(
    reader: ImageReader,
    subject: str,
    *,
    targets: Sequence[str] = (),
    start_up: StartUp | None = None,
    strict: bool = False,
    pinned: bool = False,
    envoy: bool = False,
) -> Report:
    """Judge an image as each target's fetcher and proxy would.

    :param pinned: the reference carries a digest
    :param envoy: ask the Envoy of this machine about the module too
    :raises NotFound: no such image
    """
    chosen = choose(targets)
    try:
        check = _ImageCheck(kept(reader), start_up, pinned=pinned)
        problems = {target.name: check.problems(target) for target in chosen}
        if envoy:
            check.ask_envoy(problems)
    except (BadArtifact, DigestMismatch) as error:
        problems = {target.name: [_unreadable(error)] for target in chosen}
    return judge(subject, "image", problems, strict_targets=bool(targets), strict=strict)


def kept(reader: ImageReader) -> ImageReader:
    """The same image, read once: what it names cannot change under a report."""
    return reader if isinstance(reader, KeptReader) else KeptReader(reader, LIMIT)


def open_chunks(reader: ImageReader, descriptor: Descriptor) -> Iterator[bytes]:
    """A blob's verified bytes in pieces."""
    with VerifiedStream(reader.open_blob(descriptor), descriptor) as stream:
        yield from stream.chunks()


def mesh_image(reader: ImageReader) -> tuple[Manifest | Index, Manifest | None]:
    """What the reference names, and the image that a mesh would take of it.

    The second is None for an index without linux/amd64.
    """
    top = reader.get()
    if isinstance(top, Manifest):
        return top, top
    child = linux_amd64(top)
    found = reader.get(child) if child else None
    return top, found if isinstance(found, Manifest) else None


class _ImageCheck:
    """One image; blobs are read and modules examined once per distinct outcome."""

    def __init__(self, reader: ImageReader, start_up: StartUp | None, *, pinned: bool) -> None:
        self._reader = reader
        self._start_up = start_up
        self._pinned = pinned
        self._top = reader.get()
        self._image: Manifest | None = None
        self._fetch = cache(self._fetch_by)
        self._facts = cache(self._examine)
        self._contents = cache(self._read_contents)
        with contextlib.suppress(*UNREADABLE):
            self._image = mesh_image(reader)[1]

    def problems(self, target: Target) -> list[Problem]:
        """All that this target has to say."""
        try:
            fetched = self._fetch(target.image or _newest_rules())
            found = list(fetched.problems)
            if fetched.module is not None:
                facts = self._facts(fetched.module)
                found += module_problems(facts, target.host, target.own_functions)
        except UNREADABLE as error:
            return [_unreadable(error)]
        return [*found, *self._doubts()]

    def ask_envoy(self, problems: dict[str, list[Problem]]) -> None:
        """Add what the Envoy of this machine says of the module, if there is one."""
        from wasmpack.actions.final_word import ask_for_final_word

        module = self._contents().module
        if module is not None:
            ask_for_final_word(problems, module, self._facts(module), self._start_up)

    def _doubts(self) -> list[Problem]:
        """What no mesh looks at, and its author should know."""
        found = [] if self._image is None else _disagreement(self._image)
        try:
            contents = self._contents()
        except UNREADABLE:
            return found
        if contents.module is None:
            return found
        problems = _config_findings(contents.runtime_config, self._facts(contents.module))
        return found + [replace(problem, severity=Severity.WARNING) for problem in problems]

    def _fetch_by(self, rules: ImageRules) -> Fetched:
        return fetch(self._top, self._reader.get, self._open, rules, pinned=self._pinned)

    def _open(self, descriptor: Descriptor) -> Iterator[bytes]:
        return open_chunks(self._reader, descriptor)

    def _read_contents(self) -> Contents:
        if self._image is None:
            return Contents(module=None, runtime_config=None, layer=None)
        return read_contents(self._image, self._open)

    def _examine(self, module: bytes) -> ModuleFacts:
        return examine(module, self._start_up)


def _newest_rules() -> ImageRules:
    """For a consumer that is given a file: somebody's fetcher has to get it out of the image."""
    newest = [t.image for t in default_targets() if t.image and t.image.reader is Reader.ISTIO]
    return newest[-1]


def _config_findings(raw: bytes | None, facts: ModuleFacts) -> list[Problem]:
    if raw is None:
        return []
    found = config_problems(raw)
    if any(problem.severity is Severity.ERROR for problem in found):
        return found
    return [*found, *abi_problems(parse_runtime_config(raw), facts.scan.abi)]


def _disagreement(image: Manifest) -> list[Problem]:
    if not image.body_media_type or image.body_media_type == image.media_type:
        return []
    return [
        Problem(
            code="IMG005",
            severity=Severity.WARNING,
            where="manifest.mediaType",
            message=f"the body says {image.body_media_type}, but it was served as "
            f"{image.media_type}: the mesh goes by the body, other clients refuse it",
            hint="build and push the image again",
        )
    ]


def _size_problems(
    size: int, rules: ImageRules | None, packed: Variant | None
) -> Iterator[Problem]:
    if rules is None or packed is None:
        return
    limit = rules.content_limit if packed is Variant.OCI else rules.tar_limit
    if limit is not None and size > limit:
        what = "cut there, without a word" if packed is Variant.OCI else "'unexpected EOF'"
        yield Problem(
            code="IMG006",
            severity=Severity.ERROR,
            where="plugin.wasm",
            message=f"{size} bytes are more than the {limit} the mesh's fetcher reads: {what}",
            hint="strip debug information (wasm-opt --strip-debug), or make the plugin smaller",
        )


def _unreadable(error: BadArtifact | DigestMismatch | NotFound) -> Problem:
    return Problem(
        code="IMG004",
        severity=Severity.ERROR,
        where="image",
        message=error.message,
        hint=error.hint or "build and push the image again",
    )
