"""The directory in which golden cases run: modules, images, and files that are wrong."""

from __future__ import annotations

import shutil
from pathlib import Path

from agreement import images as i

from support.layouts import old_image, put
from support.plugins import PLUGINS, wat

VM_START = '(func (export "proxy_on_vm_start") (param i32 i32) (result i32) {})'
ASK = "(drop (call $sizes (i32.const 16) (i32.const 20)))"
COUNT = "(i32.load (i32.const 16))"
"""Of environment variables."""
SIZES = """(import "wasi_snapshot_preview1" "environ_sizes_get"
  (func $sizes (param i32 i32) (result i32)))"""
CALLBACK = '(func (export "proxy_on_log") (param i32))'
"""The least that a proxy calls."""
MODULES = {
    "plugin.wasm": (PLUGINS / "header-append-c.wasm").read_bytes(),
    "small.wasm": wat(CALLBACK),
    "idle.wasm": wat(),
    "cut.wasm": wat()[:-7],
    "text.wasm": b"(module)",
    "gzip.wasm": b"\x1f\x8b\x08\0\0\0\0\0",
    "component.wasm": b"\0asm\x0d\0\1\0",
    "no-mark.wasm": wat(marker="proxy_no_version"),
    "no-such-import.wasm": wat(imports='(import "env" "proxy_no_such" (func))'),
    "needs-env.wasm": wat(CALLBACK + VM_START.format(f"{ASK} {COUNT}"), SIZES),
    "refuses-env.wasm": wat(CALLBACK + VM_START.format(f"{ASK} (i32.eqz {COUNT})"), SIZES),
    "needs-vm-config.wasm": wat(CALLBACK + VM_START.format("(local.get 1)")),
    "trap.wasm": wat('(func (export "_start") (unreachable))'),
}
"""By the name of the file."""
CONFIG = b'{"abiVersions":["v0.2.1"],"type":"envoy_proxy"}'
"""The runtime configuration that a build writes if it is given none."""


def make_desk(texts: Path, desk: Path) -> Path:
    """Lay out the directory.

    :param texts: the files of it that are kept as they are
    """
    shutil.copytree(texts, desk)
    for name, data in MODULES.items():
        (desk / name).write_bytes(data)
    for name in ("folder", "full"):
        (desk / name).mkdir()
    (desk / "full" / "something").touch()
    (desk / "resources").mkdir()
    shutil.copy(desk / "plugin.yaml", desk / "resources")
    put(i.Case("old", "", [(i.GZ, old_image())], ""), desk / "old")
    return desk
