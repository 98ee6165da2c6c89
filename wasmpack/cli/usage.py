"""Wrong usage in words of ours: the nearest name, and what flags of other tools are called here."""

from __future__ import annotations

import re

import click

from wasmpack.similar import did_you_mean, nearest

_LIKENESS = 0.7
"""From which on a name is near enough to be meant (``difflib``'s measure)."""
_SHAPES = {"-o", "--output", "--json", "--yaml"}
_NO_TLS = "--insecure for TLS without verification, --plain-http for HTTP"
_LOGIN = "-u USER --password-stdin, or wasmpack login REGISTRY"
_PLATFORM = "leave it out: of an index, the linux/amd64 image is taken, as meshes do"
_ALL_TAGS = "wasmpack copy --all-tags REPOSITORY DESTINATION"
_FILE = "name files without an option: wasmpack build MODULE, wasmpack validate FILE"
_DESTINATION = "wasmpack copy SOURCE DESTINATION; wasmpack pull IMAGE -o PLACE"
_OPTIONS = {
    "--tls-verify": _NO_TLS,
    "--src-tls-verify": _NO_TLS.replace("--", "--from-"),
    "--dest-tls-verify": _NO_TLS.replace("--", "--to-"),
    "--skip-tls-verify": _NO_TLS,
    "--insecure-skip-tls-verify": _NO_TLS,
    "--allow-insecure": _NO_TLS,
    "--insecure-registry": _NO_TLS,
    "-k": _NO_TLS,
    "--creds": _LOGIN,
    "--src-creds": "--from-username USER --from-password-stdin",
    "--dest-creds": "--to-username USER --to-password-stdin",
    "--password": "--password-stdin, or the variable WASMPACK_PASSWORD",
    "-p": "--password-stdin, or the variable WASMPACK_PASSWORD",
    "--user": "--username USER",
    "--authfile": "--registry-config FILE",
    "--cert-dir": "--ca-file FILE, --cert-file FILE, --key-file FILE",
    "--cacert": "--ca-file FILE",
    "--cert": "--cert-file FILE",
    "--key": "--key-file FILE",
    "--dest": _DESTINATION,
    "-d": _DESTINATION,
    "--platform": _PLATFORM,
    "--os": _PLATFORM,
    "--arch": _PLATFORM,
    "--override-os": _PLATFORM,
    "--override-arch": _PLATFORM,
    "-f": _FILE,
    "--file": _FILE,
    "--filename": _FILE,
    "--all-tags": _ALL_TAGS,
    "-A": _ALL_TAGS,
    "--label": "-a KEY=VALUE for an annotation",
    "-e": "--env NAME=VALUE",
    "--no-cache": "leave it out: the same inputs give the same image",
    "--no-color": "--color never",
    "--colour": "--color always, or never",
    "--log-level": "-v for more detail, -q for less",
    "--parallel": "-j N",
    "--latest": "-t latest",
    "--rm": "leave it out: nothing is left behind",
}
"""Options of docker, podman, skopeo, crane, oras, kubectl and curl."""
_COMMANDS = {
    "rmi": "remove",
    "gc": "prune",
    "clean": "prune",
    "check": "validate",
    "lint": "validate",
    "verify": "validate",
    "show": "inspect",
    "describe": "inspect",
    "info": "inspect",
    "cp": "copy",
    "save": "copy IMAGE oci-archive:FILE",
    "load": "copy oci-archive:FILE IMAGE",
    "manifest": "inspect image IMAGE --raw manifest",
    "config": "inspect image IMAGE --raw config",
    "export": "extract",
    "fetch": "pull",
    "upload": "push",
    "publish": "push",
    "pack": "build",
    "package": "build",
    "apply": "render wasmplugin IMAGE | kubectl apply -f -",
    "convert": "migrate",
    "retag": "tag",
    "whoami": "login",
    "auth": "login REGISTRY",
    "append": "build MODULE -t IMAGE",
    "catalog": "tags REGISTRY",
}
"""Names that other tools use for these commands."""
_WITH_ARGUMENT = {
    "list": "for a repository in a registry: wasmpack tags REPOSITORY",
    "config": "for an image: wasmpack inspect image IMAGE --raw config",
}
"""Commands of ours without an argument, whose names are those of others with one (crane)."""


def usage_message(error: click.UsageError) -> str:
    """The message as ours are written: lower case, no final period."""
    plain = isinstance(error, click.NoSuchOption | click.NoSuchCommand)
    text = error.message if plain else error.format_message()
    return f"{text[:1].lower()}{text[1:]}".rstrip(".")


def usage_hint(error: click.UsageError) -> str:
    """The next command to type."""
    command = re.sub(r"\s+", " ", error.ctx.command_path).strip() if error.ctx else "wasmpack"
    if isinstance(error, click.NoSuchCommand):
        return _of_command(error, command)
    if isinstance(error, click.NoSuchOption):
        return _of_option(error, command)
    if error.ctx and type(error) is click.UsageError:  # an argument too many
        return _WITH_ARGUMENT.get(error.ctx.command.name or "", f"{command} --help")
    return f"{command} --help"


def _of_command(error: click.NoSuchCommand, command: str) -> str:
    ours = _COMMANDS.get(error.command_name.lower(), "") if command == "wasmpack" else ""
    near = ours or nearest(error.command_name, error.possibilities or (), _LIKENESS)
    return f"did you mean {command} {near}?" if near else f"{command.removesuffix(' help')} --help"


def _of_option(error: click.NoSuchOption, command: str) -> str:
    if ours := _OPTIONS.get(error.option_name):
        return ours
    if error.option_name in _SHAPES:
        return f"did you mean --format {_shape(error)}?"
    known = error.possibilities or ()
    return did_you_mean(error.option_name, known, f"{command} --help", _LIKENESS)


def _shape(error: click.UsageError) -> str:
    """The shape that whoever writes ``-o yaml`` or ``--json`` may mean."""
    params = error.ctx.command.params if error.ctx else []
    choices = [p.type.choices for p in params if isinstance(p.type, click.Choice)]
    return "yaml" if any("yaml" in found for found in choices) else "json"
