"""The reports of accepted images: kept where they hold, and believed where they are ours."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest
from conftest import Cli
from support.mutants import fresh, json_mutant
from support.plugins import PLUGINS, wat

from wasmpack.actions.build import Outputs, build_image, check_built, write_outputs
from wasmpack.actions.checks import Checks
from wasmpack.actions.explain import rule_named
from wasmpack.actions.push import accepted
from wasmpack.actions.rejected import RejectedArtifact
from wasmpack.dry_run.start_up import StartUp
from wasmpack.files.owned import write_owned
from wasmpack.findings import Report, Verdict
from wasmpack.images.image import Image
from wasmpack.images.opening import open_image, require_image
from wasmpack.oci.manifest import Manifest
from wasmpack.oci.media_types import DOCKER_MANIFEST
from wasmpack.oci.place import parse_place
from wasmpack.proxy_abi.module import PluginModule
from wasmpack.stores.local import (
    _verdict_file,
    forget_reports,
    keep_report,
    known_report,
    open_store,
)
from wasmpack.stores.session import Session

MODULE = PluginModule((PLUGINS / "header-append-c.wasm").read_bytes())


@pytest.fixture(scope="module")
def image() -> Image:
    return build_image(MODULE)


@pytest.fixture(scope="module")
def report(image: Image) -> Report:
    return check_built(image, MODULE, Checks())


def test_what_was_accepted_is_known(image: Image, report: Report) -> None:
    assert known_report(require_image(image), rule_named) is None
    keep_report(require_image(image), report)
    assert known_report(require_image(image), rule_named) == report
    assert forget_reports()[0] == 1
    assert known_report(require_image(image), rule_named) is None


def test_a_refusal_is_worked_out_again(image: Image, report: Report) -> None:
    keep_report(require_image(image), replace(report, verdict=Verdict.REJECT))
    assert known_report(require_image(image), rule_named) is None


@pytest.mark.stress
def test_what_left_something_out_is_not_kept(image: Image, report: Report) -> None:
    keep_report(require_image(image), replace(report, complete=False))
    assert known_report(require_image(image), rule_named) is None
    module, checks = PluginModule(wat()), Checks(start_up=StartUp(dry_run=False))
    without = check_built(build_image(module), module, checks)
    assert (without.verdict, without.complete) == (Verdict.ACCEPT, False)


def other_manifest(image: Image, **change: object) -> Manifest:
    return replace(require_image(image), **change)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "value"),
    [("stores.local.VERSION", "0.0.1"), ("targets.fingerprint", lambda: "other targets"),
     ("stores.local._engine", lambda: ["wasmtime-1.0.0.dist-info"])],
)  # fmt: skip
def test_other_rules_may_say_something_else(
    name: str, value: object, image: Image, report: Report, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep_report(require_image(image), report)
    monkeypatch.setattr(f"wasmpack.{name}", value)
    assert known_report(require_image(image), rule_named) is None


def test_the_same_bytes_served_as_something_else(image: Image, report: Report) -> None:
    """A layout says of any manifest what it likes: its report is not that of the real one."""
    keep_report(other_manifest(image, media_type=DOCKER_MANIFEST), report)
    assert known_report(require_image(image), rule_named) is None


DAMAGED = {
    "no JSON": b"{",
    "deep": b"[" * 100_000,
    "huge number": b'{"verdict": 1' + b"0" * 5000 + b"}",
    "a list": b"[]",
    "a string": b'"x"',
    "another object": b'{"report": {}}',
    "findings that are none": b'{"subject": "x", "kind": "module", "verdict": "accept", '
    b'"targets": [1], "findings": {"a": 1}}',
    "not UTF-8": b"\xff",
}


@pytest.mark.parametrize("content", DAMAGED.values(), ids=DAMAGED)
def test_a_damaged_entry_is_as_if_absent(content: bytes, image: Image) -> None:
    write_owned(_verdict_file(require_image(image)), content)
    assert known_report(require_image(image), rule_named) is None


def test_an_entry_that_is_a_directory_is_as_if_absent(image: Image, report: Report) -> None:
    _verdict_file(require_image(image)).mkdir(parents=True)
    assert known_report(require_image(image), rule_named) is None
    keep_report(require_image(image), report)


def test_an_entry_that_is_a_pipe_is_not_waited_for(image: Image, report: Report) -> None:
    named = replace(report, subject="caf\udce9.wasm")
    keep_report(require_image(image), named)
    found = known_report(require_image(image), rule_named)
    assert found is not None
    assert found.subject == "caf\\udce9.wasm", "the name of a file that is not UTF-8"
    path = _verdict_file(require_image(image))
    path.unlink()
    os.mkfifo(path)
    assert known_report(require_image(image), rule_named) is None
    keep_report(require_image(image), named)
    assert path.is_file()


def test_an_entry_that_others_can_write_is_as_if_absent(image: Image, report: Report) -> None:
    keep_report(require_image(image), report)
    _verdict_file(require_image(image)).chmod(0o666)
    assert known_report(require_image(image), rule_named) is None


@pytest.mark.stress
def test_a_blob_that_was_missing_for_a_moment(image: Image, tmp_path: Path) -> None:
    """The refusal does not stick to the image."""
    place = parse_place(f"oci:{tmp_path}/layout:v1")
    write_outputs(image, Outputs(place=place), Session())
    blob = tmp_path / "layout" / "blobs" / "sha256" / require_image(image).layers[1].digest.hex
    away = blob.rename(tmp_path / "away")
    with pytest.raises(RejectedArtifact):
        accepted(open_image(place), Checks())
    away.rename(blob)
    assert accepted(open_image(place), Checks()).verdict is Verdict.ACCEPT
    assert known_report(require_image(image), rule_named) is not None


def test_the_store_holds_what_the_report_says(image: Image, report: Report) -> None:
    keep_report(require_image(image), report)
    assert json.loads(_verdict_file(require_image(image)).read_bytes()[32:])["verdict"] == "accept"


@pytest.mark.slow
def test_fresh_mutants_of_a_report(image: Image, report: Report) -> None:
    """Whatever the file holds, it is a report or as if absent."""
    rng, seed = fresh()
    for number in range(300):
        content = json_mutant(rng, report.as_json())
        write_owned(_verdict_file(require_image(image)), content)
        found = known_report(require_image(image), rule_named)
        assert found is None or isinstance(found, Report), f"seed {seed}, input {number}"


def test_one_long_name_does_not_widen_the_whole_list(image: Image, cli: Cli) -> None:
    layout = open_store()
    names = ["x" * 10_000, *(f"a{number}:v1" for number in range(100))]
    with layout.writing():
        layout.put_manifest(image.top, names)
    done = cli("list")
    others = [line for line in done.out.splitlines() if line[:1] == "a"]
    assert len(others) == 100
    assert max(map(len, others)) < 60
    assert len(done.out) < 3 * len(names[0]) + 102 * 60
