"""Words that may come next on a command line: shells' scripts ask with ``wasmpack __complete``.

The answer is a line for each possible word: its kind (``word``; ``part``, after which no space
comes; ``file``), the word, and its meaning, separated by tabs.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import click
from click.shell_completion import _resolve_context, _resolve_incomplete

from wasmpack.cli.console import Run
from wasmpack.cli.options import PlaceType, ReferenceType
from wasmpack.cli.root import COMMANDS, NounGroup, cli
from wasmpack.errors import WasmpackError
from wasmpack.oci.place import ARCHIVES
from wasmpack.redaction import plain_text

MODULES = (".wasm", ".wat")
RESOURCES = (".yaml", ".yml", ".json")
_SCHEMES = ("oci:", "oci-archive:", "docker-daemon:")
_MOST = 1000
"""Files of a directory, and images, that are offered."""


class Word(NamedTuple):
    """A word that may come next."""

    kind: str
    value: str
    meaning: str = ""


Source = Callable[[str], Iterable[Word]]
"""Makes the words that begin with what is typed already."""


def answer(request: Sequence[str]) -> Iterator[str]:
    """The lines for a shell.

    :param request: its name, and the words; of bash the line and its word breaks
    """
    shell, *words = request
    breaks = ""
    if shell == "bash":
        line, breaks = [*words, ""][:2]
        words = split_line(line)[1:]
    *before, incomplete = words or [""]
    known = cut_off(incomplete, breaks)
    for kind, value, meaning in complete(before, incomplete):
        shown = value.removeprefix(known)
        if plain_text(value) == value:  # a name that would garble the shell's own lines
            yield f"{shown}\t{meaning}" if shell == "fish" else f"{kind}\t{shown}\t{meaning}"


def split_line(line: str) -> list[str]:
    """The words of a line up to the cursor, the last of which may be empty or in open quotes."""
    for closing in ("", '"', "'"):
        with suppress(ValueError):
            words = shlex.split(line + closing)
            return [*words, ""] if not closing and line[-1:].isspace() else words
    return line.split(" ")


def cut_off(word: str, breaks: str) -> str:
    """The part of a word that bash does not replace: all up to the last of its word breaks."""
    ends = [word.rfind(char) + 1 for char in breaks if char in ":=@"]
    return word[: max(ends, default=0)]


def complete(before: Sequence[str], incomplete: str) -> list[Word]:
    """The words that may come next, in order.

    :param before: complete words, without the program's name
    """
    option, equals, value = incomplete.partition("=")
    known = f"{option}=" if equals and option.startswith("--") else ""
    words = [*before, option] if known else [*before]
    with suppress(click.ClickException, WasmpackError, OSError):
        found = _possible(words, value if known else incomplete)
        return [word._replace(value=known + word.value) for word in found]
    return []


def _possible(before: list[str], incomplete: str) -> Iterator[Word]:
    context = _resolve_context(cli, {"obj": Run()}, "wasmpack", before)
    found, incomplete = _resolve_incomplete(context, before, incomplete)
    commands = [context.command]
    if isinstance(context.command, NounGroup) and isinstance(found, click.Command):
        commands.append(context.command.whole)
        yield from _of_command(context.command, context, incomplete)
        found = next(p for p in commands[-1].params if isinstance(p, click.Argument))
    if isinstance(found, click.Parameter) and not incomplete.startswith("-"):
        source = source_of(found, commands[-1])
        yield from source(incomplete) if source else ()
    else:
        yield from _of_command(commands[-1], context, incomplete)


def _of_command(command: click.Command, context: click.Context, incomplete: str) -> Iterator[Word]:
    """Its options, or its commands."""
    if incomplete.startswith("-"):
        rows = [param for param in command.get_params(context) if isinstance(param, click.Option)]
        shown = [param for param in rows if not param.hidden]
        names = [(name, p.help or "") for p in shown for name in p.opts if name.startswith("--")]
    elif command is cli:
        names = [(name, place.summary) for name, place in COMMANDS.items()]
    else:
        inner = command.commands if isinstance(command, click.Group) else {}
        names = [(name, (found.help or "").partition("\n")[0]) for name, found in inner.items()]
    yield from (Word("word", name, text) for name, text in names if name.startswith(incomplete))


def files(incomplete: str, suffixes: Sequence[str]) -> Iterator[Word]:
    """Directories, and files with these suffixes.

    :param suffixes: none means all
    """
    folder, slash, start = incomplete.rpartition("/")
    with suppress(OSError, RuntimeError, ValueError):
        entries = sorted(os.scandir(Path(folder + slash or ".").expanduser()), key=lambda e: e.name)
        shown = [e for e in entries if e.name.startswith(start) and (start or e.name[0] != ".")]
        for entry in shown[:_MOST]:
            name = f"{folder}{slash}{entry.name}"
            if entry.is_dir():
                yield Word("part", f"{name}/")
            elif not suffixes or entry.name.endswith(tuple(suffixes)):
                yield Word("file", name)


def images(incomplete: str) -> Iterator[Word]:
    """Images of the local store."""
    from wasmpack.actions.local import list_local

    for row in list_local()[:_MOST]:
        if row.name.startswith(incomplete):
            yield Word("word", row.name, row.variant)


def places(incomplete: str) -> Iterator[Word]:
    """Images of the local store, layouts and archives."""
    scheme = next((one for one in _SCHEMES if incomplete.startswith(one)), "")
    yield from () if scheme else images(incomplete)
    yield from (Word("part", one) for one in _SCHEMES if one.startswith(incomplete) and not scheme)
    suffixes = ("no file",) if scheme == "oci:" else ARCHIVES
    for word in files(incomplete[len(scheme) :], suffixes):
        yield word._replace(value=scheme + word.value)


def targets(incomplete: str) -> Iterator[Word]:
    """Releases to validate for."""
    from wasmpack.targets import all_targets

    for target in all_targets():
        if target.name.startswith(incomplete.lower()):
            name = _as_typed(target.name, incomplete)
            yield Word("word", name, "default" if target.default else "historical")
    if "all".startswith(incomplete.lower()):
        yield Word("word", "all")


def codes(incomplete: str) -> Iterator[Word]:
    """Codes of findings."""
    from wasmpack.actions.explain import all_rules
    from wasmpack.findings.rules import unmarked

    for name, title in {rule.code: unmarked(rule.title) for rule in all_rules()}.items():
        if name.startswith(incomplete.upper()):
            yield Word("word", _as_typed(name, incomplete), title)


def pages(incomplete: str) -> Iterator[Word]:
    """Commands and topics of the help."""
    from wasmpack.cli.topics import TOPICS

    rows = [(name, place.summary) for name, place in COMMANDS.items()]
    rows += [(name, topic.summary) for name, topic in TOPICS.items()]
    yield from (Word("word", name, text) for name, text in rows if name.startswith(incomplete))


def subjects(incomplete: str) -> Iterator[Word]:
    """All that validate and inspect find out about."""
    yield from files(incomplete, (*MODULES, *RESOURCES, *ARCHIVES))
    yield from images(incomplete)


def _files_with(*suffixes: str) -> Source:
    return lambda incomplete: files(incomplete, suffixes)


_OF_COMMANDS = {
    "module": _files_with(*MODULES),
    "config": _files_with(".json"),
    "wasmplugin": _files_with(*RESOURCES),
    "servicemeshextension": _files_with(*RESOURCES),
}
"""Files that a command takes, by its name."""
_OF_PARAMETERS: dict[str, Source] = {
    "module": _files_with(*MODULES),
    "subjects": subjects,
    "targets": targets,
    "code": codes,
    "command": pages,
    "config": _files_with(".json"),
    "annotation_file": _files_with(".json"),
    "plugin_config": _files_with(),
    "image": places,
    "values": _files_with(*RESOURCES),
    "template": _files_with(*RESOURCES),
}


def source_of(param: click.Parameter, command: click.Command) -> Source | None:
    """The function that completes the value of a parameter, if there is one."""
    name = str(param.name)
    if isinstance(param.type, click.Choice):
        return _one_of(param.type.choices)
    if isinstance(param.type, PlaceType | ReferenceType):
        return images if isinstance(param.type, ReferenceType) else places
    if name in {"files", "names"}:
        return _OF_COMMANDS.get(str(command.name), subjects)
    if isinstance(param.type, click.Path):
        return _OF_PARAMETERS.get(name, _files_with())
    return _OF_PARAMETERS.get(name)


def _as_typed(word: str, incomplete: str) -> str:
    """A word whose case means nothing, in the case in which it was begun: shells compare."""
    rest = word[len(incomplete) :]
    if incomplete and not word.startswith(incomplete):
        return incomplete + (rest.upper() if incomplete.isupper() else rest.lower())
    return word


def _one_of(choices: Iterable[object]) -> Source:
    """Fixed words, in any case."""

    def source(incomplete: str) -> Iterator[Word]:
        for choice in map(str, choices):
            if choice.lower().startswith(incomplete.lower()):
                yield Word("word", _as_typed(choice, incomplete))

    return source
