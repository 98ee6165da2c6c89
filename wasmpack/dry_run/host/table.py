"""The functions a proxy offers to a module, and who answers each.

Which ABI has a function, and since which date, is in ``proxy_abi/data/abi.json``. Each function in
there is answered by the function of its name in this room, or has a row in ``fixed_answers.json``.
Where an answer depends on the ABI or the date too, the function looks at ``host.vm.started``.
"""

import json
import pkgutil
from collections.abc import Callable, Iterable, Mapping
from enum import IntEnum
from types import ModuleType
from typing import NotRequired, TypedDict

from wasmpack.dry_run.host import calls_out, header_maps, streams, values, wasi
from wasmpack.dry_run.host.memory import Status
from wasmpack.dry_run.host.state import Host
from wasmpack.proxy_abi import abi

HostCall = Callable[..., int | None]
"""Takes the :class:`Host` and the arguments; None is success."""


class _Row(TypedDict):
    status: str
    context: NotRequired[bool]
    zero: NotRequired[dict[str, int]]


def _fixed(row: _Row, statuses: type[IntEnum]) -> HostCall:
    status = statuses[row["status"]]
    zero = {int(position): width for position, width in row.get("zero", {}).items()}

    def call(host: Host, *arguments: int) -> int:
        if row.get("context"):
            host.vm.require_context()
        for position, width in zero.items():
            wasi.put(host, arguments[position], 0, width)
        return status

    return call


def _calls(
    names: Iterable[str],
    homes: tuple[ModuleType, ...],
    fixed: Mapping[str, _Row],
    statuses: type[IntEnum],
) -> dict[str, HostCall]:
    """The function of each name.

    :raises KeyError: one of them is not answered
    """
    written = {name: call for home in homes for name, call in vars(home).items()}
    return {name: written.get(name) or _fixed(fixed[name], statuses) for name in names}


def _host_functions() -> dict[tuple[str, str], HostCall]:
    fixed = json.loads(pkgutil.get_data(__name__, "fixed_answers.json") or b"")
    env_names = (*abi.tables()["hostFunctions"], *abi.tables()["extraFunctions"])
    env_homes = (calls_out, header_maps, streams, values)
    env = _calls(env_names, env_homes, fixed["env"], Status)
    of_wasi = _calls(abi.tables()["wasiFunctions"], (wasi,), fixed["wasi"], wasi.Errno)
    rows = {"env": env, **dict.fromkeys(abi.WASI_MODULES, of_wasi)}
    return {(module, name): call for module, calls in rows.items() for name, call in calls.items()}


HOST_FUNCTIONS: Mapping[tuple[str, str], HostCall] = _host_functions()
"""By module and name of the import."""
