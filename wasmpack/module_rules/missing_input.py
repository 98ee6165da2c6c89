"""Input that a plugin was not given, and without which it refuses to start."""

import re
from collections.abc import Mapping
from enum import Enum, auto

from wasmpack.dry_run.result import DryRun, Step
from wasmpack.dry_run.start_up import StartUp
from wasmpack.redaction import shown

NEEDS_CONFIGURATION = {"proxy_on_context_create", "proxy_on_configure"}
"""Steps that many plugins refuse without their configuration."""
_LONGEST_NAME = 100
LAST_LINES = 3
"""Lines of the plugin's log that count: the cause is often above the last one."""
_READ_ENVIRONMENT = {"environ_get", "environ_sizes_get"}
_NAMES_VARIABLE = re.compile(r"(?i:\benv).*\b[A-Z][A-Z0-9_]{2,}\b|\b[A-Z][A-Z0-9]*_[A-Z0-9_]+\b")
"""A log line that names an environment variable."""
_ROOT = re.compile(r"(?i)\broot[ _-]?(id|context)")
_TROUBLE = re.compile(r"(?i)\b(no|not|un\w+|missing|invalid|wrong|bad|empty|cannot|fail\w*)\b")


class Missing(Enum):
    """A kind of input that a plugin may lack."""

    CONFIGURATION = auto()
    ENVIRONMENT = auto()
    ROOT_ID = auto()
    """Absent, or unknown to the plugin."""


WITHOUT: Mapping[Missing | None, str] = {
    Missing.CONFIGURATION: " (no plugin configuration was given)",
    Missing.ENVIRONMENT: " after it read environment variables",
    Missing.ROOT_ID: ", and its log names a root id or root context",
}
"""The circumstances of a refusal, for its message."""
GIVE = {
    Missing.CONFIGURATION: "many plugins need their configuration: try --plugin-config FILE",
    Missing.ENVIRONMENT: "give the variables it needs: --env NAME=VALUE, in a WasmPlugin "
    "spec.vmConfig.env, in an EnvoyExtensionPolicy env.hostKeys",
    Missing.ROOT_ID: "give a root id that the plugin registers: --root-id NAME, in a WasmPlugin "
    "spec.pluginName",
}
"""Hints."""


_NAMED = 3
"""Variables that a hint names."""


def give(missing: Missing, given: StartUp) -> str:
    """The hint for an input that is missing."""
    if missing is not Missing.ENVIRONMENT or not given.host_env:
        return GIVE[missing]
    names = ", ".join(shown(name, _LONGEST_NAME) for name in given.host_env[:_NAMED])
    return (
        f"the proxy's environment gives {names} a value, which is not known here: wasmpack "
        f"validate tries one with --env {shown(given.host_env[0], _LONGEST_NAME)}=VALUE"
    )


def missing_input(step: Step, run: DryRun, given: StartUp) -> Missing | None:
    """The most likely input that the refusing step lacks."""
    if step.name in NEEDS_CONFIGURATION:
        if any(map(_blames_the_root_id, run.log[-LAST_LINES:])):
            return Missing.ROOT_ID
        return None if given.configured else Missing.CONFIGURATION
    if step.name != "proxy_on_vm_start" or (given.env and given.env_known):
        return None
    at_start = any(name in _READ_ENVIRONMENT for _, name in run.start_calls)
    named = at_start and any(map(_NAMES_VARIABLE.search, run.log))
    return Missing.ENVIRONMENT if step.environment or named else None


def may_come(missing: Missing | None, given: StartUp) -> bool:
    """The proxy may be given what the dry run was not."""
    if missing is Missing.ROOT_ID:
        return not given.root_id and not given.configured
    if missing is Missing.ENVIRONMENT:
        return not given.env_known
    return missing is not None


def _blames_the_root_id(line: str) -> bool:
    """Unlike the line of a root context that refuses its configuration."""
    return bool(_ROOT.search(line) and _TROUBLE.search(line)) and "config" not in line.lower()
