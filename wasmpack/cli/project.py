"""The project file: ``wasmpack.toml``, or ``[tool.wasmpack]`` in ``pyproject.toml``.

It belongs to the repository that the working directory is in, and may be anybody's: it can say what
a project is (targets, annotations, the plugin's configuration, names), but nothing that loosens a
check, reaches other files or hosts, or has to do with credentials.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click

from wasmpack.cli.root import inner_commands
from wasmpack.errors import BadArtifact, WrongUsage
from wasmpack.files.inputs import read_named
from wasmpack.oci.place import NamePlace, parse_place
from wasmpack.oci.reference import Reference, is_tag
from wasmpack.redaction import shown
from wasmpack.similar import did_you_mean

_LARGEST = 1 << 20
"""Bytes of a project file."""
_LONGEST = 80
"""Characters of a key or a value that an error repeats."""
_MOST = 1000
"""Items of a list or a table."""
_FORBIDDEN = "not for a project file: it could be anybody's; use an option or a variable"
_PYPROJECT = "pyproject.toml"
_REMOTE = "docker://"
_PATHS = {"plugin-config", "vm-config"}
SETTINGS = ("targets", "annotations", "plugin-config", "vm-config", "registry", "tag")
"""Keys of a project file, in the order of the documentation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """A project file that was read."""

    file: Path
    settings: Mapping[str, Any] = field(default_factory=dict)
    """By key; paths are absolute."""

    def defaults(self) -> dict[str, Any]:
        """Values of options, by the names of their parameters, as they would be typed."""
        found: dict[str, Any] = {
            key.replace("-", "_"): str(self.settings[key]) for key in _PATHS & self.settings.keys()
        }
        if "targets" in self.settings:
            found["targets"] = list(self.settings["targets"])
        if "annotations" in self.settings:
            pairs = self.settings["annotations"].items()
            found["annotations"] = [f"{key}={value}" for key, value in pairs]
        return found

    def completed_place(self, text: str) -> str:
        """As :meth:`completed_name`, of any place: those that exist here go before names."""
        try:
            place = parse_place(text)
        except WrongUsage:
            return text
        return self.completed_name(text) if isinstance(place, NamePlace) else text

    def completed_name(self, text: str, *, tagged: bool = True) -> str:
        """An image name with the project's registry and tag where it has none.

        :param text: what cannot be read as a name comes back as it is
        :param tagged: with the tag
        """
        scheme = _REMOTE if text.startswith(_REMOTE) else ""
        name, registry = text[len(scheme) :], self.settings.get("registry")
        try:
            reference = Reference.parse(name)
        except WrongUsage:
            return text
        if registry and not reference.names_registry:
            name = f"{registry}/{name}"
        if tagged and "tag" in self.settings and not (reference.tag or reference.digest):
            name = f"{name}:{self.settings['tag']}"
        return scheme + name


def read_project(file: Path, root: Path) -> Project:
    """Read a project file.

    :param root: the repository; files that it names are inside
    :raises WrongUsage: a key that it cannot set, a value of another type, a link out of the
        repository
    """
    _inside(file, root, str(file))
    try:
        table = _parsed(read_named(file, _LARGEST), file)
    except BadArtifact as error:
        raise WrongUsage(error.message) from None
    for key in table:
        if key == "tool" and file.name != _PYPROJECT:
            message = f"{file}: a header [tool.wasmpack] belongs in {_PYPROJECT}"
            raise WrongUsage(message, hint="leave it out: here, the keys are at the top")
        if key not in SETTINGS:
            name = shown(str(key), _LONGEST)
            raise WrongUsage(f"{file}: cannot set {name!r}", hint=_hint(str(key)))
    settings = {key: _CHECKS[key](table[key], f"{file}: {key}") for key in SETTINGS if key in table}
    for key in _PATHS & settings.keys():
        settings[key] = _inside(file.parent / settings[key], root, f"{file}: {key}")
    return Project(file=file, settings=settings)


def _parsed(raw: bytes, file: Path) -> dict[str, Any]:
    import tomllib

    try:
        table = tomllib.loads(raw.decode())
    except (ValueError, RecursionError) as error:
        reason = shown(str(error), _LONGEST) or "nested too deep"
        raise WrongUsage(f"{file}: not TOML: {reason}") from None
    if file.name != _PYPROJECT:
        return table
    tools = table.get("tool", {})
    found = tools.get("wasmpack", {}) if isinstance(tools, dict) else {}
    return _table(found, f"{file}: tool.wasmpack")


def _hint(key: str) -> str:
    known = f"{_FORBIDDEN}; known: {', '.join(SETTINGS)}"
    return did_you_mean(key.replace("_", "-"), SETTINGS, known)


def _inside(path: Path, root: Path, what: str) -> Path:
    """The path without links, which must not lead out of the repository."""
    try:
        found = path.resolve()
    except (OSError, RuntimeError, ValueError):
        raise WrongUsage(f"{what}: no file can have this name") from None
    if not found.is_relative_to(root.resolve()):
        raise WrongUsage(f"{what}: leads out of the repository {root}")
    return found


def _text(value: object, what: str) -> str:
    if not isinstance(value, str) or not value or "\0" in value:
        raise WrongUsage(f"{what}: expected a string")
    return value


def _table(value: object, what: str) -> dict[str, Any]:
    if not isinstance(value, dict) or len(value) > _MOST:
        raise WrongUsage(f"{what}: expected a table")
    return value


def _targets(value: object, what: str) -> list[str]:
    from wasmpack.targets import choose

    if not isinstance(value, list) or not value or len(value) > _MOST:
        raise WrongUsage(f"{what}: expected a list of releases", hint='targets = ["istio-1.29"]')
    names = [_text(item, what) for item in value]
    try:
        choose(names)
    except WrongUsage as error:
        raise WrongUsage(f"{what}: {error.message}", hint=error.hint) from None
    return names


def _annotations(value: object, what: str) -> dict[str, str]:
    found = _table(value, what)
    for key in found:
        if not key or "=" in key:
            raise WrongUsage(f"{what}: invalid key {shown(key, _LONGEST)!r}")
        if not isinstance(found[key], str):
            raise WrongUsage(f"{what}: {shown(key, _LONGEST)}: expected a string")
    return found


def _registry(value: object, what: str) -> str:
    text = _text(value, what).rstrip("/")
    try:
        reference = Reference.parse(f"{text}/x")
    except WrongUsage as error:
        raise WrongUsage(f"{what}: {error.message}") from None
    if reference.registry != text.partition("/")[0] or reference.tag or reference.digest:
        raise WrongUsage(f"{what}: expected a registry", hint='registry = "quay.io/me"')
    return text


def _tag(value: object, what: str) -> str:
    text = _text(value, what)
    if not is_tag(text):
        raise WrongUsage(f"{what}: invalid tag {shown(text, _LONGEST)!r}", hint='tag = "v1"')
    return text


_CHECKS: Mapping[str, Callable[[object, str], Any]] = {
    "targets": _targets,
    "annotations": _annotations,
    "plugin-config": _text,
    "vm-config": _text,
    "registry": _registry,
    "tag": _tag,
}


def of_command(command: click.Command, values: Mapping[str, Any]) -> dict[str, Any]:
    """The values of a command's options, and those of its subcommands below their names."""
    names = {param.name for param in command.params if not getattr(param, "hidden", False)}
    own = {name: value for name, value in values.items() if name in names}
    inner = {name: of_command(found, values) for name, found in inner_commands(command).items()}
    return {**own, **inner}
