"""The rooms and what may be touched in them; what loads when; the public names."""

import ast
import doctest
import functools
import importlib
import re
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import files
from importlib.resources import files as resources
from pathlib import Path

import pytest

import wasmpack

ROOT = Path(wasmpack.__file__).parent
MODULES = sorted(ROOT.rglob("*.py"))
CHECKOUT = Path(__file__).parents[2]

LAYERS = {
    "errors": 0, "findings": 0, "version": 0, "redaction": 0, "template_files": 0, "schemas": 0,
    "similar": 0, "text": 0,
    "confinement": 1, "processes": 1, "files": 1, "oci": 1, "wasm": 1,
    "kubeyaml": 2, "runtime_config": 2, "targets": 2, "proxy_abi": 2, "git": 2,
    "stores": 3, "images": 4, "dry_run": 4,
    "envoy": 5, "module_rules": 5, "fetchers": 5, "mesh": 5,
    "request_tests": 6, "actions": 7, "api": 8, "cli": 8, "pytest_plugin": 8,
    "__init__": 9, "__main__": 9,
}  # fmt: skip
LONGEST_MODULE = 300
"""Lines."""
SAME_LAYER = {
    ("targets", "proxy_abi"),
    ("findings", "redaction"),
    ("findings", "text"),
    ("errors", "redaction"),
    ("findings", "version"),
}
"""Rooms of one layer know nothing of each other, but for these."""
ONLY_IN = {
    "wasmtime": {
        "dry_run/engine.py", "dry_run/code_cache.py", "dry_run/runs.py", "dry_run/guest.py",
        "dry_run/instance.py", "dry_run/worker.py",
    },
    "jsonschema": {"schemas/__init__.py"},
    "yaml": {"kubeyaml/reader.py", "kubeyaml/values.py", "kubeyaml/writer.py"},
    "oras": {"stores/registry/transport.py"},
    "requests": {"stores/registry/transport.py", "stores/registry/exchange.py",
                 "stores/registry/downloads.py", "stores/registry/session.py",
                 "stores/registry/failures.py", "stores/registry/stall.py", "stores/engine.py"},
    "urllib3": {"stores/registry/failures.py", "stores/registry/session.py", "stores/engine.py"},
    "docker": {"stores/engine.py"},
    "deflate": {"oci/layer.py"},
    "envoy": {"envoy/binary.py"},
}  # fmt: skip


@functools.cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


@functools.cache
def nodes(path: Path) -> list[ast.AST]:
    return list(ast.walk(parsed(path)))


@functools.cache
def imports(path: Path) -> set[str]:
    found: set[str] = set()
    for node in nodes(path):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
    return found


def room(path: Path) -> str:
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


ROOMS = {
    name: [path for path in MODULES if room(path) == name]
    for name in sorted(set(map(room, MODULES)))
}
by_room = pytest.mark.parametrize("modules", ROOMS.values(), ids=ROOMS)


@by_room
def test_imports_point_downwards(modules: list[Path]) -> None:
    for path in modules:
        here = room(path)
        for name in imports(path):
            if not name.startswith("wasmpack."):
                continue
            there = name.split(".")[1]
            down = LAYERS[there] < LAYERS[here] or there == here or (here, there) in SAME_LAYER
            assert down, f"{path}: {here} must not import {there}"


@pytest.mark.parametrize("library", ONLY_IN)
def test_each_library_enters_through_its_room(library: str) -> None:
    users = {
        path.relative_to(ROOT).as_posix()
        for path in MODULES
        if any(name.split(".")[0] == library for name in imports(path))
    }
    assert users <= ONLY_IN[library]


def test_click_stays_in_the_cli() -> None:
    for path in MODULES:
        if room(path) != "cli":
            assert not any(name.split(".")[0] == "click" for name in imports(path)), path


LAZY = {"wasmtime", "oras", "requests", "docker", "jsonschema", "yaml", "deflate", "urllib3"}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "allowed"),
    [
        (["--help"], set()),
        (["--version"], set()),
        (["build", "--help"], set()),
        (["inspect", "module", "{plugin}"], set()),
        (["list"], set()),
        (["targets"], set()),
        (["build", "{plugin}", "-o", "oci:{out}"], {"wasmtime"}),
        (["render", "wasmplugin", "--help"], set()),
        (["render", "wasmplugin", "file:///x.wasm"], {"yaml", "jsonschema"}),
        (["migrate", "servicemeshextension", "/dev/null"], {"yaml"}),
    ],
)
def test_libraries_load_when_they_are_needed(
    arguments: list[str], allowed: set[str], tmp_path: Path
) -> None:
    plugin = CHECKOUT / "tests" / "plugins" / "header-append-c.wasm"
    filled = [a.format(plugin=plugin, out=tmp_path / "o") for a in arguments]
    code = (
        "import sys\nfrom wasmpack.cli.main import run\n"
        f"run({filled!r})\nprint('LOADED', *sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.rpartition("LOADED")[2].split())
    assert loaded & LAZY <= allowed, done.stderr


def test_help_loads_no_room_but_the_command_line() -> None:
    code = (
        "import sys\nfrom wasmpack.cli.main import run\nrun(['--help'])\n"
        "print('LOADED', *(m for m in sys.modules if m.startswith('wasmpack.')))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = done.stdout.rpartition("LOADED")[2].split()
    rooms = {name.split(".")[1] for name in loaded}
    assert rooms <= {"cli", "errors", "version", "oci", "redaction", "similar"}


def test_the_installed_wheel_is_tested() -> None:
    assert ROOT != CHECKOUT / "wasmpack", "run the tests against the installed wheel: make test"
    installed = {str(path) for path in files("wasmpack") or ()}
    for needed in (
        "wasmpack/templates/runtime-config.json",
        "wasmpack/proxy_abi/data/abi.json",
        "wasmpack/targets/data/istio.json",
        "wasmpack/schemas/runtime-config.schema.json",
        "wasmpack/schemas/wasmplugin.schema.json",
        "wasmpack/schemas/output.schema.json",
        "wasmpack/schemas/project.schema.json",
        "wasmpack/schemas/request-test.schema.json",
        "wasmpack/templates/wasmplugin.yaml",
        "wasmpack/py.typed",
    ):
        assert needed in installed
    template = resources("wasmpack").joinpath("templates", "runtime-config.json").read_bytes()
    assert template == (CHECKOUT / "templates" / "runtime-config.json").read_bytes()


@by_room
def test_every_module_says_what_it_is(modules: list[Path]) -> None:
    for path in modules:
        assert ast.get_docstring(parsed(path)), path


@by_room
def test_no_module_is_longer_than_can_be_read_at_once(modules: list[Path]) -> None:
    lengths = {path.name: len(path.read_text().splitlines()) for path in modules}
    assert {name: lines for name, lines in lengths.items() if lines > LONGEST_MODULE} == {}


def test_the_error_tree_in_the_docstring_is_the_real_one() -> None:
    from wasmpack import errors

    for kind in errors.WasmpackError.__subclasses__():
        if kind.__module__ == "wasmpack.errors":
            assert f"{kind.__name__:<20} {kind.exit_code} " in (errors.__doc__ or "")


OF_THE_API = {"wasmpack.api", *(f"wasmpack.{home}.{n}" for n, home in wasmpack._HOMES.items())}
"""Their examples want files and a registry: tests/integration/test_api.py runs them."""


@by_room
def test_examples_in_docstrings_are_true(modules: list[Path]) -> None:
    for path in modules:
        name = ".".join(path.relative_to(ROOT.parent).with_suffix("").parts)
        if name.endswith("__main__"):
            continue
        module = importlib.import_module(name.removesuffix(".__init__"))
        runner = doctest.DocTestRunner()
        for example in doctest.DocTestFinder().find(module, globs=dict(vars(module))):
            if example.name not in OF_THE_API:
                runner.run(example)
        assert runner.failures == 0, name


CODE = re.compile(r"[A-Z]{3}\d{3}")


def is_rule(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Rule"


def declared_codes(path: Path) -> dict[ast.AST, str]:
    """The literals that are the ``code`` of a ``Rule(…)``."""
    return {
        keyword.value: keyword.value.value
        for node in nodes(path)
        if isinstance(node, ast.Call) and is_rule(node)
        for keyword in node.keywords
        if keyword.arg == "code" and isinstance(keyword.value, ast.Constant)
    }


@by_room
def test_a_code_is_written_where_its_rule_is_declared_and_nowhere_else(modules: list[Path]) -> None:
    for path in modules:
        declared = declared_codes(path)
        for node in nodes(path):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                known = node in declared or not CODE.fullmatch(node.value)
                assert known, (path, node.lineno)


def test_every_rule_in_the_code_is_collected() -> None:
    from wasmpack.actions.explain import all_rules

    declared = [code for path in MODULES for code in declared_codes(path).values()]
    known = sorted(rule.code for rule in all_rules())
    assert sorted(declared) == known, "add its module to _HOMES in actions/explain.py"


def test_every_rule_is_raised_by_a_check() -> None:
    declared: set[str] = set()
    used: set[str] = set()
    for path in MODULES:
        for node in nodes(path):
            if isinstance(node, ast.Assign) and is_rule(node.value):
                declared |= {target.id for target in node.targets if isinstance(target, ast.Name)}
            elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
                used.add(node.id)
            elif isinstance(node, ast.Attribute):
                used.add(node.attr)
    assert declared - used == set()


@by_room
def test_rules_are_declared_at_the_top_of_a_module(modules: list[Path]) -> None:
    for path in modules:
        top = [node.value for node in parsed(path).body if isinstance(node, ast.Assign)]
        for node in nodes(path):
            assert not is_rule(node) or node in top, (path, node.lineno)


TEXTS = {"code", "hint", "message"}
"""Attributes of findings and errors that are for people."""
TAKEN_APART = {
    "startswith", "endswith", "replace", "partition", "rpartition", "split", "find", "index",
    "removeprefix", "removesuffix",
}  # fmt: skip
OF_OTHERS = {
    ("files/outputs.py", "message"),  # an error of the same file, which names it once
}


@by_room
def test_nothing_is_decided_by_the_text_of_a_finding(modules: list[Path]) -> None:
    """Rules and types are compared instead."""
    for path in modules:
        inside = path.relative_to(ROOT).as_posix()
        for node in nodes(path):
            for part in compared(node):
                assert part not in TEXTS or (inside, part) in OF_OTHERS, (path, node.lineno)


def compared(node: ast.AST) -> Iterator[str]:
    """Attributes whose value, or its text, is compared, searched, or taken apart."""
    parts: list[ast.expr] = []
    if isinstance(node, ast.Compare):
        same = all(isinstance(operator, ast.Is | ast.IsNot) for operator in node.ops)
        parts = [] if same else [node.left, *node.comparators]
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        parts = [node.func.value] if node.func.attr in TAKEN_APART else []
    for part in parts:
        text = isinstance(part, ast.Call) and isinstance(part.func, ast.Name) and part.args
        inner = part.args[0] if text and part.func.id == "str" else part  # type: ignore[attr-defined]
        if isinstance(inner, ast.Attribute):
            yield inner.attr


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ('p.code == "X"', ["code"]), ("p.code in known", ["code"]), ('"x" in p.hint', ["hint"]),
        ('"x" in str(p.hint)', ["hint"]), ('p.message.startswith("x")', ["message"]),
        ('p.hint.replace("a", "b")', ["hint"]), ("p.rule is RULE", []), ("p.hint is None", []),
        ("print(p.code)", []), ("replace(p, hint=x)", []),
    ],
)  # fmt: skip
def test_comparisons_of_texts_are_seen(code: str, found: list[str]) -> None:
    assert [part for node in ast.walk(ast.parse(code)) for part in compared(node)] == found


COMMANDS = [path for path in MODULES if room(path) == "cli"]
_LONGEST_BODY = 15


def is_command(node: ast.AST) -> bool:
    """A function that is decorated with ``command``, a group's one, or ``click.group``."""
    made = node.decorator_list if isinstance(node, ast.FunctionDef) else []
    called = [one.func for one in made if isinstance(one, ast.Call)]
    names = {f.attr if isinstance(f, ast.Attribute) else ast.unparse(f) for f in called}
    return bool(names & {"command", "group"})


@pytest.mark.parametrize("path", COMMANDS, ids=lambda p: p.stem)
def test_the_body_of_a_command_is_short(path: Path) -> None:
    """Without its docstring; the rest is what an option means, an action, or a text."""
    for node in nodes(path):
        if isinstance(node, ast.FunctionDef) and is_command(node):
            body = node.body[1:] if ast.get_docstring(node) else node.body
            lines = body[-1].end_lineno - body[0].lineno + 1 if body else 0  # type: ignore[operator]
            assert lines <= _LONGEST_BODY, (node.name, lines)


@pytest.mark.parametrize("path", COMMANDS, ids=lambda p: p.stem)
def test_a_run_of_the_command_line_leaves_nothing_in_modules(path: Path) -> None:
    """What a run gathers is in click's context."""
    for node in parsed(path).body:
        value = node.value if isinstance(node, ast.Assign | ast.AnnAssign) else None
        empty = isinstance(value, ast.List | ast.Dict) and not ast.unparse(value).strip("[]{}")
        assert not empty, (node.lineno, ast.unparse(node))


@pytest.mark.parametrize("path", COMMANDS, ids=lambda p: p.stem)
def test_no_command_asks_in_which_shape_it_prints(path: Path) -> None:
    """The console knows."""
    for node in nodes(path):
        if isinstance(node, ast.FunctionDef) and is_command(node):
            names = {found.arg for found in node.args.args}
            assert not names & {"shape", "format"}, node.name


@pytest.mark.parametrize("path", COMMANDS, ids=lambda p: p.stem)
def test_the_formatter_has_its_way_in_the_command_line(path: Path) -> None:
    assert "fmt: skip" not in path.read_text()
