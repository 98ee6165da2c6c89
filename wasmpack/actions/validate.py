"""Would this target load it? The same rules for a file, a configuration and an image."""

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import replace

from wasmpack.errors import BadArtifact
from wasmpack.findings import Problem, Report, Severity, judge
from wasmpack.module.check import ModuleFacts, StartUp, examine, module_problems
from wasmpack.oci.image import Variant
from wasmpack.runtime_config import abi_problems, config_problems, parse_runtime_config
from wasmpack.targets import ImageRules, choose


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
    facts = examine(data, with_root_id(start_up, runtime_config))
    more = config_findings(runtime_config, facts)
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

        ask_for_final_word(problems, data, facts)
    return judge(subject, "module", problems, strict_targets=bool(targets), strict=strict)


def validate_config(
    raw: bytes, subject: str, *, targets: Sequence[str] = (), strict: bool = False
) -> Report:
    """Judge a ``runtime-config.json``."""
    found = config_problems(raw, subject)
    problems = {target.name: found for target in choose(targets)}
    return judge(subject, "config", problems, strict_targets=bool(targets), strict=strict)


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


def with_root_id(start_up: StartUp | None, runtime_config: bytes | None) -> StartUp:
    """The root id that was given, or the first that the runtime configuration names."""
    given = start_up or StartUp()
    if given.root_id or runtime_config is None:
        return given
    with contextlib.suppress(BadArtifact):
        return replace(given, root_id="".join(parse_runtime_config(runtime_config).root_ids[:1]))
    return given


def config_findings(raw: bytes | None, facts: ModuleFacts) -> list[Problem]:
    if raw is None:
        return []
    found = config_problems(raw)
    if any(problem.severity is Severity.ERROR for problem in found):
        return found
    return [*found, *abi_problems(parse_runtime_config(raw), facts.scan.abi)]
