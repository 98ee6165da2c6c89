"""The example of each rule raises it, where a file alone can do so."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence

import pytest
from agreement.corpus import legacy_exceptions
from support.plugins import FRAME, binary, wat

from wasmpack.actions.checks import Checks, ImageScope
from wasmpack.actions.explain import all_rules
from wasmpack.actions.migrate import MigrationRequest, migrate_extensions
from wasmpack.actions.validate_wasmplugin import validate_wasmplugin
from wasmpack.dry_run.start_up import StartUp
from wasmpack.errors import BadArtifact
from wasmpack.findings import Rule
from wasmpack.kubeyaml.documents import Document
from wasmpack.kubeyaml.reader import read_documents
from wasmpack.mesh.migration.extension import MigrationOptions
from wasmpack.module_rules.check import examine, module_problems
from wasmpack.proxy_abi.module import PluginModule
from wasmpack.runtime_config import abi_problems, config_problems, parse_runtime_config
from wasmpack.targets import target
from wasmpack.targets.realm import refused_realm

pytestmark = pytest.mark.dependencies

UNTRIED = {
    "RUN007", "RUN009", "RUN011", "RUN012", "ENV001", "ENV002", "ENV003", "ENV004", "IMG001",
    "IMG002", "IMG004", "IMG005", "IMG006", "IMG007", "IMG008", "WPL015", "WPL016", "WPL017",
    "WPL018", "WPL025", "WPL026", "WPL027", "SME015", "SME016",
}  # fmt: skip
"""Commands, messages, and those that need a registry: other tests raise them."""
TRIED = [rule for rule in all_rules() if rule.code not in UNTRIED]


def of(*families: str) -> Sequence[object]:
    return [pytest.param(r, id=r.code) for r in TRIED if r.code[:3] in families]


@pytest.mark.parametrize("rule", all_rules(), ids=lambda rule: rule.code)
def test_every_rule_has_a_short_example(rule: Rule) -> None:
    lines = rule.example.splitlines()
    assert 1 <= len(lines) <= 4
    for line in lines:
        assert 0 < len(line.rstrip()) == len(line) <= 70, "80 columns, with its label"
        assert not {"|", "`"} & set(line), "it is code in a cell of a table too"


@pytest.mark.slow
@pytest.mark.usefixtures("hurried")
@pytest.mark.parametrize("rule", of("MOD", "ABI", "MEM", "STA", "RUN"))
def test_a_module(rule: Rule) -> None:
    network = False if rule.code == "RUN014" else None
    facts = examine(PluginModule(module(rule.example)), StartUp(network=network))
    consumers = map(target, ("envoy-1.40", "envoy-1.28", "higress-2"))
    assert rule in {problem.rule for each in consumers for problem in module_problems(facts, each)}


def module(example: str) -> bytes:
    """The example as a module, or in a module that is good otherwise."""
    if not example.startswith("("):
        data = bytes.fromhex(example.partition("#")[0])
        legacy = legacy_exceptions()
        return legacy if data in legacy else wat() + data
    if example.startswith(("(module", "(component")):
        return binary(example)
    parts = list(fields(example))
    frame = FRAME
    for part in ('(memory (export "memory") 1)', '(func (export "{marker}"))'):
        if any(each.startswith(part[:7]) and alike(each, part) for each in parts):
            frame = frame.replace(part, "")
    imports = [part for part in parts if part.startswith("(import")]
    body = "".join(part for part in parts if part not in imports)
    return binary(
        frame.format(imports="".join(imports), body=body, marker="proxy_abi_version_0_2_1")
    )


def alike(field: str, of_frame: str) -> bool:
    """The field takes the place of that of the frame."""
    return of_frame.startswith("(memory") or "proxy_abi_version_0_2_1" in field


def fields(text: str) -> Iterator[str]:
    """The parts of a module, at the outermost parentheses."""
    depth, start = 0, 0
    for place, character in enumerate(text):
        depth += (character == "(") - (character == ")")
        if character == ")" and not depth:
            yield text[start : place + 1].strip()
            start = place + 1


@pytest.mark.parametrize("rule", of("CFG"))
def test_a_runtime_configuration(rule: Rule) -> None:
    raw = rule.example.partition(" #")[0].encode()
    problems = config_problems(raw)
    if rule.code == "CFG004":
        problems = abi_problems(parse_runtime_config(raw), "0.2.1")
    assert [problem.rule for problem in problems] == [rule]


def test_a_challenge() -> None:
    (rule,) = (rule for rule in TRIED if rule.code == "IMG009")
    assert refused_realm(rule.example.partition(": ")[2])


@pytest.mark.parametrize("rule", of("WPL"))
def test_a_wasm_plugin(rule: Rule) -> None:
    if rule.code == "WPL000":
        with pytest.raises(BadArtifact, match="duplicate"):
            list(read_documents(rule.example.encode(), "f"))
        return
    asked = re.findall(r"--target (\S+)", rule.example)
    found = validate_wasmplugin(
        resources(rule, "WasmPlugin", "extensions.istio.io/v1alpha1", {"url": "oci://quay.io/a/b:v1"}),
        "f", Checks(targets=asked), images=ImageScope(read=False),
    )  # fmt: skip
    assert rule.code in {finding.code for finding in found.findings}


@pytest.mark.parametrize("rule", of("SME"))
def test_a_service_mesh_extension(rule: Rule) -> None:
    needed = {"image": "quay.io/a/b:v1", "phase": "PreAuthN"}
    if rule.code == "SME003":
        del needed["phase"]
    documents = resources(rule, "ServiceMeshExtension", "maistra.io/v1", needed)
    request = MigrationRequest(documents=documents, subject="f", options=MigrationOptions())
    done = migrate_extensions(request)
    assert rule.code in {f.code for row in done.rows for f in row.report.findings}


def resources(
    rule: Rule, kind: str, api_version: str, spec: Mapping[str, str]
) -> Sequence[Document]:
    """Each document of an example as a resource, with the fields that it leaves out."""
    text = re.sub(r"([0-9a-f]{4})…", lambda digits: digits[1] * 16, rule.example)
    parts = text.splitlines() if text.startswith("{") else [text]
    rows = []
    for part in parts:
        (document,) = read_documents(part.encode(), "f")
        given = document.value
        assert isinstance(given, dict)
        if not given.keys() & {"apiVersion", "metadata"}:
            given = {"spec": given}
        whole = {"apiVersion": api_version, "kind": kind, "metadata": {"name": "p"}, **given}
        own = given.get("spec")
        whole["spec"] = {**spec, **(own if isinstance(own, dict) else {})}
        rows.append(json.dumps(whole))
    return list(read_documents("\n---\n".join(rows).encode(), "f"))
