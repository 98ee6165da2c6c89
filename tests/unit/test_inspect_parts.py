"""Images whose module is looked at in parts."""

import pytest
from support.plugins import PLUGINS

from wasmpack.actions.inspect import inspect_image
from wasmpack.actions.inspect_parts import PARTLY_READ
from wasmpack.images.image import Image
from wasmpack.images.variants import artifact_image
from wasmpack.proxy_abi.module import PluginModule

MODULE = (PLUGINS / "header-append-c.wasm").read_bytes()


def test_hints_name_the_image(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wasmpack.images.image.LARGE", len(MODULE))
    built = artifact_image(PluginModule(MODULE), b"{}", {})
    hints = {
        finding.rule: finding.hint
        for finding in inspect_image(Image(built, "quay.io/me/plugin:v1"), ["all"]).report.findings
    }
    assert hints[PARTLY_READ] == "wasmpack validate image quay.io/me/plugin:v1"
    assert not [hint for hint in hints.values() if "IMAGE" in hint]
