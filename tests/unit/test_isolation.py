"""Tests that write to a relative path leave nothing among the sources."""

from pathlib import Path

import pytest

from wasmpack.cli.main import run

pytestmark = pytest.mark.slow

CHECKOUT = Path(__file__).parents[2]


def test_a_relative_place_is_in_the_folder_of_the_test(tmp_path: Path) -> None:
    assert run(["build", str(CHECKOUT / "tests/plugins/x-wat.wat"), "-o", "oci:layout:v1"]) == 0
    assert (tmp_path / "layout" / "index.json").is_file()
    assert not (CHECKOUT / "layout").exists()
