"""Would this target load this image? Its fetcher replayed, then the module it finds."""

from collections.abc import Sequence
from dataclasses import replace
from functools import cache

from wasmpack.actions.reading import UNREADABLE, kept, mesh_image, search_image
from wasmpack.actions.validate import config_findings, with_root_id
from wasmpack.errors import BadArtifact, DigestMismatch, NotFound
from wasmpack.fetchers.fetch import Fetched, fetch
from wasmpack.fetchers.refusal import REPACK
from wasmpack.findings import Hint, Problem, Report, Rule, Severity, judge
from wasmpack.images.contents import Contents, read_contents
from wasmpack.module_rules.check import ModuleFacts, StartUp, examine, module_problems
from wasmpack.oci.manifest import Manifest
from wasmpack.stores.kept import KeptReader
from wasmpack.stores.ports import ImageReader, challenge_of
from wasmpack.targets import ImageRules, Target, choose, default_targets
from wasmpack.targets.realm import ADVICE, UNSAFE_REALM, refused_realm

MEDIA_TYPES_DIFFER = Rule(
    code="IMG005",
    title="the manifest's body names another media type than the one it was served with",
    severity=Severity.WARNING,
    consumer="Istio goes by the body; other clients, `wasmpack pull` among them, refuse it",
    fix="build and push again",
)
UNREADABLE_IMAGE = Rule(
    code="IMG004",
    title="a blob is missing, damaged or unreadable",
    severity=Severity.ERROR,
    consumer="all",
    fix="build and push again",
)


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
    problems, complete = image_problems(
        reader, subject, choose(targets), start_up=start_up, pinned=pinned, envoy=envoy
    )
    return judge(
        subject, "image", problems, strict_targets=bool(targets), strict=strict, complete=complete
    )


def image_problems(
    reader: ImageReader,
    subject: str,
    targets: Sequence[Target],
    *,
    start_up: StartUp | None = None,
    pinned: bool = False,
    envoy: bool = False,
) -> tuple[dict[str, list[Problem]], bool]:
    """What each target's fetcher and proxy have against an image; whether all of it was read.

    :raises NotFound: no such image
    """
    complete = False
    try:
        check = _ImageCheck(kept(reader), start_up, pinned=pinned)
        problems = {target.name: check.problems(target) for target in targets}
        if envoy:
            check.ask_envoy(problems)
        complete = check.complete
    except (BadArtifact, DigestMismatch) as error:
        problems = {target.name: [_unreadable(error)] for target in targets}
    named = {
        name: [replace(problem, hint=problem.hint.about(subject)) for problem in found]
        for name, found in problems.items()
    }
    return named, complete


class _ImageCheck:
    """One image; blobs are read and modules examined once per distinct outcome."""

    def __init__(self, reader: KeptReader, start_up: StartUp | None, *, pinned: bool) -> None:
        self._reader = reader
        self._start_up = start_up
        self._pinned = pinned
        self._top = reader.get()
        self._image: Manifest | None = None
        self._modules: list[bytes] = []
        self._fetch = cache(self._fetch_by)
        self._facts = cache(self._examine)
        self._contents = cache(self._read_contents)
        self._has_module = cache(self._search)
        self.complete = start_up is None or start_up.dry_run
        """Nothing was left out so far, or could not be read."""
        try:
            self._image = mesh_image(reader)[1]
        except UNREADABLE:
            self.complete = False

    def problems(self, target: Target) -> list[Problem]:
        """All that this target has to say."""
        try:
            fetched = self._fetch(target.image or _newest_rules())
            found = [self._advised(problem) for problem in fetched.problems]
            if fetched.module is not None:
                facts = self._facts(fetched.module)
                found += module_problems(facts, target.host, target.own_functions)
        except UNREADABLE as error:
            self.complete = False
            return [_unreadable(error)]
        if target.realm_guard:
            found += _realm_problems(challenge_of(self._reader))
        return [*found, *self._doubts()]

    def _advised(self, problem: Problem) -> Problem:
        """Packing again is no advice where there is nothing to pack."""
        advice = problem.hint.command
        if advice is None or advice.name != REPACK.name or self._has_module():
            return problem
        hint = "no layer of this image can be read as a WebAssembly module: build it again"
        return replace(problem, hint=Hint(hint))

    def _search(self) -> bool:
        try:
            return bool(search_image(self._reader)[1].modules)
        except UNREADABLE:
            self.complete = False
            return False

    def ask_envoy(self, problems: dict[str, list[Problem]]) -> None:
        """Add what the Envoy of this machine says of the module, if there is one."""
        from wasmpack.actions.final_word import ask_for_final_word

        module = self._contents().module
        if module is not None:
            ask_for_final_word(problems, module, self._facts(module))

    def _doubts(self) -> list[Problem]:
        """What no mesh looks at, and its author should know."""
        found = [] if self._image is None else _disagreement(self._image)
        try:
            contents = self._contents()
        except UNREADABLE:
            self.complete = False
            return found
        if contents.module is None:
            return found
        problems = config_findings(contents.runtime_config, self._facts(contents.module))
        return found + [replace(problem, severity=Severity.WARNING) for problem in problems]

    def _fetch_by(self, rules: ImageRules) -> Fetched:
        layers = self._reader.layers
        found = fetch(self._top, self._reader.get, layers, rules, pinned=self._pinned)
        if found.module is None:
            return found
        known = next((module for module in self._modules if module == found.module), None)
        if known is not None:  # one copy is enough: modules can be large
            return replace(found, module=known)
        self._modules.append(found.module)
        return found

    def _read_contents(self) -> Contents:
        if self._image is None:
            return Contents(module=None, runtime_config=None, layer=None)
        return read_contents(self._image, self._reader.layers)

    def _examine(self, module: bytes) -> ModuleFacts:
        return examine(module, with_root_id(self._start_up, self._runtime_config()))

    def _runtime_config(self) -> bytes | None:
        try:
            return self._contents().runtime_config
        except UNREADABLE:
            self.complete = False
            return None


def _newest_rules() -> ImageRules:
    """For a consumer that is given a file: somebody's fetcher has to get it out of the image."""
    newest = [found.image for found in default_targets() if found.consumer == "istio"][-1]
    assert newest is not None
    return newest


def _realm_problems(challenge: str) -> list[Problem]:
    """What the fetcher has against the registry itself, if we were asked to log in there."""
    words = refused_realm(challenge)
    if not words:
        return []
    return [
        UNSAFE_REALM.problem(
            "registry",
            f"its fetcher refuses this registry, whatever the credentials: {words!r}",
            ADVICE,
        )
    ]


def _disagreement(image: Manifest) -> list[Problem]:
    if not image.body_media_type or image.body_media_type == image.media_type:
        return []
    return [
        MEDIA_TYPES_DIFFER.problem(
            "manifest.mediaType",
            f"the body says {image.body_media_type}, but it was served as "
            f"{image.media_type}: the mesh goes by the body, other clients refuse it",
            "build and push the image again",
        )
    ]


def _unreadable(error: BadArtifact | DigestMismatch | NotFound) -> Problem:
    hint = error.hint or "build and push the image again"
    return UNREADABLE_IMAGE.problem("image", error.message, hint)
