"""The sdist and the editable install, really made."""

import os
import subprocess
import sys
import sysconfig
import tarfile
import venv
from pathlib import Path

import pytest
from support.plugins import PLUGINS
from support.programs import git_files, run

CHECKOUT = Path(__file__).parents[2]
TEMPLATE_COMMANDS = {
    "runtime configuration": ["build", PLUGINS / "header-append-c.wasm", "-o", "oci:out:v1"],
    "manifest": ["render", "wasmplugin", "quay.io/me/plugin:v1", "--no-image"],
}


def test_the_sdist_holds_all_that_git_keeps_and_nothing_it_ignores(tmp_path: Path) -> None:
    tracked = git_files(CHECKOUT)
    not_ignored = git_files(CHECKOUT, "--cached", "--others", "--exclude-standard")
    run(sys.executable, "-m", "hatchling", "build", "-t", "sdist", "-d", tmp_path, cwd=CHECKOUT)
    (archive,) = tmp_path.glob("*.tar.gz")
    with tarfile.open(archive) as unpacked:
        names = {member.name.partition("/")[2] for member in unpacked if member.isfile()}
    assert not tracked - names
    assert not names - not_ignored - {"PKG-INFO"}


@pytest.fixture(scope="module")
def editable(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The ``bin`` of a virtual environment with an editable install.

    It borrows the dependencies and hatchling from the environment that runs the tests.
    """
    folder = tmp_path_factory.mktemp("editable")
    venv.create(folder, with_pip=False, symlinks=True)
    python = folder / "bin" / "python"
    site = run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").strip()
    # Read after hatchling's _wasmpack.pth, so that the checkout comes before the installed wheel.
    Path(site, "~borrowed.pth").write_text(sysconfig.get_path("purelib"))
    run(sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--no-deps",
        "--no-build-isolation", "--editable", CHECKOUT)  # fmt: skip
    return folder / "bin"


@pytest.mark.parametrize("command", TEMPLATE_COMMANDS.values(), ids=TEMPLATE_COMMANDS)
def test_an_editable_install_finds_the_templates(
    command: list[str | Path], editable: Path, tmp_path: Path
) -> None:
    code = "import wasmpack; print(wasmpack.__file__)"
    assert Path(run(editable / "python", "-c", code).strip()).is_relative_to(CHECKOUT)
    done = subprocess.run(
        [editable / "wasmpack", *command], cwd=tmp_path, env=os.environ, capture_output=True
    )
    assert done.returncode == 0, done.stderr.decode()
