"""``render`` and ``validate wasmplugin``, with images in a real registry."""

from __future__ import annotations

import base64
import hashlib
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from agreement import images as i
from conftest import Cli
from support.layouts import put
from support.plugins import PLUGINS, wat
from support.programs import need
from support.registries import RunningRegistry

from wasmpack.targets import all_targets, default_targets

C = PLUGINS / "header-append-c.wasm"
DOCUMENTED = """\
apiVersion: extensions.istio.io/v1alpha1
kind: WasmPlugin
metadata:
  name: openid-connect
  namespace: {namespace}
spec:
  selector:
    matchLabels:
      istio: ingressgateway
  url: {url}
{more}  phase: AUTHN
  pluginConfig:
    openid_server: authn
    openid_realm: ingress
"""
SHA = "1ef0c9a92b0420cf25f7fe5d481b231464bc88f486ca3b9c83ed5cc21d2f6210"
EXAMPLES = {
    "file": {
        "namespace": "istio-ingress", "url": "file:///opt/filters/openid.wasm",
        "more": f"  sha256: {SHA}\n",
    },
    "image": {
        "namespace": "istio-system",
        "url": "oci://private-registry:5000/openid-connect/openid:latest",
        "more": "  imagePullPolicy: IfNotPresent\n  imagePullSecret: private-registry-pull-secret\n",
    },
}  # fmt: skip
"""Both examples of the OpenShift documentation's page on WasmPlugin."""


@pytest.fixture
def image(open_registry: RunningRegistry, cli: Cli, tmp_path: Path) -> str:
    """A pushed image whose runtime configuration names a root id."""
    name = f"{open_registry.host}/render/header:v1"
    built = cli("build", C, "-t", name, "--root-id", "my_root", "--push")
    assert built.code == 0, built.err
    cli("remove", name)
    return name


def digest_of(cli: Cli, image: str) -> str:
    return cli("digest", f"docker://{image}").out.strip().rpartition("@")[2].removeprefix("sha256:")


def rendered(cli: Cli, *arguments: str | Path) -> dict[str, Any]:
    done = cli("render", "wasmplugin", *arguments)
    assert done.code == 0, done.err
    value = yaml.safe_load(done.out)
    assert isinstance(value, dict)
    return value


@pytest.mark.parametrize("example", EXAMPLES)
def test_the_documented_examples_are_accepted(example: str, cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text(DOCUMENTED.format(**EXAMPLES[example]))
    done = cli("validate", "wasmplugin", "p.yaml", "--retries", "0", "--format", "json")
    assert done.code == 0, done.out
    report = json.loads(done.out)
    assert report["verdict"] == "accept"
    codes = {finding["code"] for finding in report["findings"]}
    assert codes == ({"WPL013", "WPL023"} if example == "file" else {"WPL007", "WPL015"})


def test_rendered_and_pinned(image: str, cli: Cli) -> None:
    value = rendered(cli, image, "--pin", "-n", "mesh", "-l", "app=x", "--phase", "authn")
    digest = digest_of(cli, image)
    assert value == {
        "apiVersion": "extensions.istio.io/v1alpha1",
        "kind": "WasmPlugin",
        "metadata": {"name": "header", "namespace": "mesh"},
        "spec": {
            "selector": {"matchLabels": {"app": "x"}},
            "url": f"oci://{image}@sha256:{digest}",
            "sha256": digest,
            "pluginName": "my_root",
            "phase": "AUTHN",
            "priority": 0,
        },
    }


ALL_FLAGS = [
    "--name", "named", "-n", "mesh", "-l", "a=b", "-l", "c=d", "--phase", "AUTHZ", "--priority", "-7",
    "--plugin-name", "root", "--plugin-config", '{"b": 1, "a": {"c": [true, null, 2.5, "yes"]}}',
    "--pull-policy", "ifnotpresent", "--pull-secret", "s", "--fail-strategy", "fail_open",
    "--type", "http", "--match", "server:80,90", "--match", "CLIENT", "--env", "A=b=c", "--env", "H",
    "--no-validate",
]  # fmt: skip
ALL_FIELDS = {
    "selector": {"matchLabels": {"a": "b", "c": "d"}},
    "phase": "AUTHZ",
    "priority": -7,
    "pluginName": "root",
    "pluginConfig": {"b": 1, "a": {"c": [True, None, 2.5, "yes"]}},
    "imagePullPolicy": "IfNotPresent",
    "imagePullSecret": "s",
    "failStrategy": "FAIL_OPEN",
    "type": "HTTP",
    "match": [{"mode": "SERVER", "ports": [{"number": 80}, {"number": 90}]}, {"mode": "CLIENT"}],
    "vmConfig": {"env": [{"name": "A", "value": "b=c"}, {"name": "H", "valueFrom": "HOST"}]},
}


def test_every_field_by_flag_and_by_file(image: str, cli: Cli, tmp_path: Path) -> None:
    by_flag = rendered(cli, image, *ALL_FLAGS)
    assert by_flag["spec"] == {**ALL_FIELDS, "url": f"oci://{image}"}
    assert list(by_flag["spec"]["pluginConfig"]) == ["b", "a"]
    (tmp_path / "values.json").write_text(
        json.dumps({"name": "named", "namespace": "mesh", **ALL_FIELDS})
    )
    assert rendered(cli, image, "--values", "values.json", "--no-validate") == by_flag
    nested = {"metadata": {"name": "named", "namespace": "mesh"}, "spec": ALL_FIELDS}
    (tmp_path / "values.yaml").write_text(yaml.safe_dump(nested))
    assert rendered(cli, image, "--values", "values.yaml", "--no-validate") == by_flag
    over = rendered(cli, image, "--values", "values.yaml", "--phase", "STATS", "--no-validate")
    assert over["spec"]["phase"] == "STATS"


def test_same_input_same_bytes(image: str, cli: Cli, tmp_path: Path) -> None:
    texts = {cli("render", "wasmplugin", image, *ALL_FLAGS, "--pin").out for _ in range(3)}
    assert len(texts) == 1
    text = texts.pop()
    assert text.endswith("\n")
    assert not text.endswith("\n\n")
    as_json = cli("render", "wasmplugin", image, *ALL_FLAGS, "--pin", "--format", "json")
    assert json.loads(as_json.out) == yaml.safe_load(text)


@pytest.mark.parametrize("target", ["all"])
@pytest.mark.parametrize("kind", ["WasmPlugin", "TrafficExtension"])
def test_what_is_rendered_passes_validation(
    target: str, kind: str, image: str, cli: Cli, tmp_path: Path
) -> None:
    done = cli("render", "wasmplugin", image, "--kind", kind, "--pin", "-n", "mesh")
    (tmp_path / "p.yaml").write_text(done.out)
    judged = cli("validate", "wasmplugin", "p.yaml", "--remote", "--format", "json")
    assert judged.code == 0, judged.out
    errors = [f for f in json.loads(judged.out)["findings"] if f["severity"] == "error"]
    assert not errors
    if kind == "WasmPlugin":
        assert cli("validate", "wasmplugin", "p.yaml", "--target", target).code == 0


NONE: set[str] = set()
KNOWN = {
    "ossm-2.2": NONE, "ossm-2.3": {"vmConfig"}, "ossm-2.4": {"vmConfig", "match"},
    "ossm-2.5": {"vmConfig", "match"}, "ossm-2.6": {"vmConfig", "match", "failStrategy", "type"},
    **{f"ossm-3.{n}": {"vmConfig", "match", "failStrategy", "type", "targetRefs"}
       for n in range(5)},
    "istio-1.12": NONE, "istio-1.13": NONE, "istio-1.14": {"vmConfig"}, "istio-1.15": {"vmConfig"},
    **{f"istio-1.{n}": {"vmConfig", "match"} for n in (16, 17, 18)},
    "istio-1.19": {"vmConfig", "match", "failStrategy"},
    **{f"istio-1.{n}": {"vmConfig", "match", "failStrategy", "type"} for n in (20, 21)},
    **{f"istio-1.{n}": {"vmConfig", "match", "failStrategy", "type", "targetRefs"}
       for n in range(22, 32)},
}  # fmt: skip


def test_every_release_is_in_the_table() -> None:
    assert set(KNOWN) == {t.name for t in all_targets() if t.consumer in {"istio", "ossm"}}


NEWER = {
    "vmConfig": ["--env", "A=b"], "match": ["--match", "SERVER"], "type": ["--type", "NETWORK"],
    "failStrategy": ["--fail-strategy", "FAIL_OPEN"], "targetRefs": ["--target-ref", "Service/s"],
}  # fmt: skip


@pytest.mark.parametrize("release", KNOWN)
def test_a_release_gets_the_fields_it_knows(release: str, cli: Cli) -> None:
    known = [flag for name in sorted(KNOWN[release]) for flag in NEWER[name]]
    done = cli("render", "wasmplugin", "file:///x.wasm", "--target", release, *known)
    assert done.code == 0, done.err
    assert KNOWN[release] <= set(yaml.safe_load(done.out)["spec"])
    for name in set(NEWER) - KNOWN[release]:
        refused = cli("render", "wasmplugin", "file:///x.wasm", "--target", release, *NEWER[name])
        assert refused.code == 3, name
        assert "WPL003" in refused.err
    harmless = cli("render", "wasmplugin", "file:///x.wasm", "--target", release, "--type", "HTTP",
                   "--fail-strategy", "FAIL_CLOSE")  # fmt: skip
    assert harmless.code == 0, harmless.err
    spec = yaml.safe_load(harmless.out)["spec"]
    assert set(spec) & {"type", "failStrategy"} == KNOWN[release] & {"type", "failStrategy"}


def test_other_kinds(image: str, cli: Cli) -> None:
    common = ["--plugin-config", '{"b": 1}', "--fail-strategy", "FAIL_OPEN", "--plugin-name", "r",
              "--no-validate"]  # fmt: skip
    traffic = rendered(cli, image, "--kind", "trafficextension", *common, "-l", "a=b", "--pin")
    digest = digest_of(cli, image)
    assert traffic["spec"] == {
        "selector": {"matchLabels": {"a": "b"}},
        "priority": 0,
        "wasm": {
            "url": f"oci://{image}@sha256:{digest}", "sha256": digest, "pluginName": "r",
            "failStrategy": "FAIL_OPEN", "pluginConfig": {"b": 1},
        },
    }  # fmt: skip
    policy = rendered(cli, image, "--kind", "EnvoyExtensionPolicy", *common, "--target-ref",
                      "HTTPRoute/web", "--pull-secret", "s", "--env", "H")  # fmt: skip
    assert policy["spec"] == {
        "targetRefs": [{"group": "gateway.networking.k8s.io", "kind": "HTTPRoute", "name": "web"}],
        "wasm": [{
            "name": "header", "rootID": "r", "config": {"b": 1}, "failOpen": True,
            "code": {"type": "Image", "image": {"url": image, "pullSecretRef": {"name": "s"}}},
            "env": {"hostKeys": ["H"]},
        }],
    }  # fmt: skip
    for source, code in (
        ("file:///x.wasm", {"local": {"filename": "/x.wasm"}}),
        (
            image,
            {"remote": {"http_uri": {"uri": f"oci://{image}", "timeout": "30s", "cluster": "_"}}},
        ),
    ):
        found = rendered(
            cli, source, "--kind", "EnvoyFilter", *common, "-l", "a=b", "--match", "SERVER"
        )
        assert found["spec"]["workloadSelector"] == {"labels": {"a": "b"}}
        patch = found["spec"]["configPatches"][-1]
        assert patch["match"]["context"] == "SIDECAR_INBOUND"
        config = patch["patch"]["value"]["typed_config"]["config"]
        assert config["vm_config"]["code"] == code
        assert config["configuration"]["value"] == '{"b":1}'


WRONG: list[tuple[list[str], int, str]] = [
    (["oci:layout:v1"], 2, "an image in a registry, from which meshes pull"),
    (["file:///x.wasm", "--pin"], 2, "--pin needs an image"),
    (["file:///x.wasm", "--kind", "EnvoyExtensionPolicy", "--target-ref", "Gateway/g"], 2, "no files"),
    (["quay.io/a:v1", "--no-image", "--kind", "EnvoyExtensionPolicy"], 2, "needs a target"),
    (["quay.io/a:v1", "--no-image", "--kind", "EnvoyExtensionPolicy", "-l", "a=b"], 2, "selector"),
    (["quay.io/a:v1", "--no-image", "--kind", "EnvoyFilter", "--pull-secret", "s"], 2, "imagePullSecret"),
    (["quay.io/a:v1", "--no-image", "--target", "envoy-1.40"], 2, "WasmPlugin is read by Istio"),
    (["quay.io/a:v1", "--no-image", "--pin"], 2, "exclude each other"),
    (["quay.io/a:v1", "--no-image", "-l", "app"], 2, "LABEL=VALUE"),
    (["quay.io/a:v1", "--no-image", "--match", "INBOUND"], 2, "invalid mode"),
    (["quay.io/a:v1", "--no-image", "--match", "SERVER:0"], 2, "invalid port"),
    (["quay.io/a:v1", "--no-image", "--target-ref", "web"], 2, "KIND/NAME"),
    (["quay.io/a:v1", "--no-image", "--target-ref", "Pod/web"], 3, "WPL004"),
    (["quay.io/a:v1", "--no-image", "--name", "Not_Valid"], 3, "WPL001"),
    (["quay.io/a:v1", "--no-image", "-l", "a=b", "--target-ref", "Service/s"], 3, "WPL004"),
    (["quay.io/a:v1", "--no-image", "--priority", "2147483648"], 3, "WPL001"),
    (["quay.io/a:v1", "--no-image", "--plugin-config", "list.yaml"], 3, "WPL001"),
    (["quay.io/a:v1", "--no-image", "--plugin-config", "nothing.yaml"], 4, "no such file"),
    (["quay.io/a:v1", "--no-image", "--values", "odd.yaml"], 3, "did you mean phase?"),
    (["quay.io/a:v1", "--no-image", "--template", "empty.yaml"], 3, "no document of kind WasmPlugin"),
    (["quay.io/a:v1", "--no-image", "--template", "digest.yaml"], 3, "--pin"),
    (["quay.io/a:v1", "--no-image", "--template", "odd-place.yaml"], 3, "unknown placeholder"),
    (["https://e.com/x.wasm", "--kind", "envoyfilter", "--sha256", "zz"], 3, "WPL001"),
    (["file:///x.wasm", "--kind", "envoyfilter", "--name", "Bad_Name"], 3, "WPL001"),
    (["file:///x.wasm", "--kind", "envoyfilter", "--fail-strategy", "fail_reload"], 2, "FAIL_RELOAD"),
    (["quay.io/a:v1", "--no-image", "-l", "a=b", "-l", "a=c"], 2, "given more than once"),
    (["quay.io/a:v1", "--no-image", "--values", "url.yaml"], 3, "url.yaml:1 url: the URL is the argument"),
    (["quay.io/a:v1", "--no-image", "--values", "helm.yaml"], 3, "helm.yaml:2: {{ .Values.p }} is a template"),
    (["quay.io/a:v1", "-o", "yaml"], 2, "did you mean --format yaml?"),
]  # fmt: skip


@pytest.mark.parametrize(("arguments", "code", "said"), WRONG, ids=[" ".join(w[0]) for w in WRONG])
def test_wrong(arguments: list[str], code: int, said: str, cli: Cli, tmp_path: Path) -> None:
    head = "apiVersion: extensions.istio.io/v1alpha1\nkind: WasmPlugin\nmetadata: {name: x}\n"
    (tmp_path / "list.yaml").write_text("[1]")
    (tmp_path / "odd.yaml").write_text("phas: AUTHN")
    (tmp_path / "url.yaml").write_text("url: x")
    (tmp_path / "helm.yaml").write_text("name: a\nphase: {{ .Values.p }}")
    (tmp_path / "empty.yaml").write_text("kind: ConfigMap")
    (tmp_path / "digest.yaml").write_text(
        f"{head}spec: {{url: 'oci://${{repository}}@${{digest}}'}}"
    )
    (tmp_path / "odd-place.yaml").write_text(f"{head}spec: {{url: '${{image}}'}}")
    done = cli("render", "wasmplugin", *arguments)
    assert done.code == code, done.err
    assert said in " ".join(done.err.split())
    assert not done.out or arguments == []


def test_a_template_of_the_team(image: str, cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "t.yaml").write_text(
        "# team\napiVersion: extensions.istio.io/v1alpha1\nkind: WasmPlugin\n"
        "metadata:\n  name: ${name}  # kept\n  labels: {team: a}\n"
        "spec:\n  failStrategy: FAIL_OPEN  # ours\n  priority: 9\n---\n"
        "kind: ConfigMap\ndata: {tag: '${tag}', price: '$${x}'}\n"
    )
    text = cli("render", "wasmplugin", image, "--template", "t.yaml", "--phase", "AUTHZ").out
    first, second = yaml.safe_load_all(text)
    assert first["metadata"] == {"name": "header", "labels": {"team": "a"}}
    assert first["spec"]["failStrategy"] == "FAIL_OPEN"
    assert (first["spec"]["priority"], first["spec"]["phase"]) == (9, "AUTHZ")
    assert second["data"] == {"tag": "v1", "price": "${x}"}
    assert text.startswith("# team\n")
    assert "failStrategy: FAIL_OPEN  # ours" in text
    as_list = cli("render", "wasmplugin", image, "--template", "t.yaml", "--format", "json")
    assert [item["kind"] for item in json.loads(as_list.out)["items"]] == [
        "WasmPlugin",
        "ConfigMap",
    ]


def test_ibm_platforms_are_named(image: str, cli: Cli) -> None:
    assert "IBM Z and IBM Power" in " ".join(cli("render", "wasmplugin", image).err.split())
    assert "IBM Z and IBM Power" in " ".join(cli("targets").err.split())
    assert "IBM Z and IBM Power" in json.loads(cli("targets", "--format", "json").out)["notes"][0]


def resource(url: str, more: str = "") -> str:
    head = "apiVersion: extensions.istio.io/v1alpha1\nkind: WasmPlugin\n"
    return f"{head}metadata: {{name: p, namespace: mesh}}\nspec:\n  url: {url}\n{more}"


def judged(cli: Cli, tmp_path: Path, text: str, *arguments: str) -> dict[str, Any]:
    (tmp_path / "p.yaml").write_text(text)
    done = cli("validate", "wasmplugin", "p.yaml", "--format", "json", "--retries", "0", *arguments)
    found = json.loads(done.out)
    assert isinstance(found, dict)
    assert done.code == (3 if found["verdict"] == "reject" else 0)
    return found


def codes(report: dict[str, Any], severity: str) -> set[str]:
    return {f["code"] for f in report["findings"] if f["severity"] == severity}


def test_digests_that_can_never_match(image: str, cli: Cli, tmp_path: Path) -> None:
    digest = digest_of(cli, image)
    layers = json.loads(cli("inspect", "image", f"docker://{image}", "--format", "json").out)[
        "layers"
    ]
    layer = layers[-1]["digest"].removeprefix("sha256:")
    right = judged(cli, tmp_path, resource(f"oci://{image}", f"  sha256: {digest}\n"))
    assert right["verdict"] == "accept"
    for wrong, said in ((layer, "digest of a layer"), ("a" * 64, "names now")):
        report = judged(cli, tmp_path, resource(f"oci://{image}", f"  sha256: {wrong}\n"))
        assert codes(report, "error") == {"WPL006"}
        (finding,) = [f for f in report["findings"] if f["code"] == "WPL006"]
        assert finding["where"] == "p.yaml:6 spec.sha256"
        assert said in finding["message"]
        assert digest in finding["hint"]


def test_the_digest_of_an_index(open_registry: RunningRegistry, cli: Cli, tmp_path: Path) -> None:
    need("skopeo")
    layer = i.packed(("plugin.wasm", C.read_bytes()))
    case = i.Case("index", "", [(i.GZ, layer)], "", platforms=[i.AMD, i.ARM])
    name = f"{open_registry.host}/render/index:v1"
    copied = subprocess.run(
        ["skopeo", "copy", "--all", "--preserve-digests", "--dest-tls-verify=false",
         put(case, tmp_path / "index"), f"docker://{name}"], capture_output=True, text=True,
    )  # fmt: skip
    assert copied.returncode == 0, copied.stderr
    top = cli("inspect", "image", f"docker://{name}", "--raw", "manifest").out
    index = hashlib.sha256(top.encode()).hexdigest()
    child = json.loads(top)["manifests"][0]["digest"].removeprefix("sha256:")
    report = judged(cli, tmp_path, resource(f"oci://{name}", f"  sha256: {index}\n"))
    (finding,) = [f for f in report["findings"] if f["code"] == "WPL006"]
    assert "the digest of the index, which the mesh never compares" in finding["message"]
    assert child in finding["hint"]
    assert rendered(cli, name, "--pin")["spec"]["sha256"] == child


def test_what_is_not_there(open_registry: RunningRegistry, cli: Cli, tmp_path: Path) -> None:
    report = judged(cli, tmp_path, resource(f"oci://{open_registry.host}/no/such:v1"))
    assert codes(report, "error") == {"WPL016"}
    offline = judged(
        cli, tmp_path, resource(f"oci://{open_registry.host}/no/such:v1"), "--no-image"
    )
    assert not codes(offline, "error")


def test_the_module_is_started_with_its_configuration(
    open_registry: RunningRegistry, cli: Cli, tmp_path: Path
) -> None:
    (tmp_path / "strict.wasm").write_bytes(
        wat('(func (export "proxy_on_configure") (param i32 i32) (result i32)'
            " (i32.gt_u (local.get 1) (i32.const 0)))")
    )  # fmt: skip
    name = f"{open_registry.host}/render/strict:v1"
    assert cli("build", "strict.wasm", "-t", name, "--push").code == 0
    refused = judged(cli, tmp_path, resource(f"oci://{name}"))
    assert codes(refused, "error") == {"RUN005"}
    assert refused["findings"][0]["where"].startswith("p.yaml:5 spec.url: ")
    with_config = judged(cli, tmp_path, resource(f"oci://{name}", "  pluginConfig: {a: 1}\n"))
    assert not codes(with_config, "error")


def test_a_module_that_the_mesh_lacks_functions_for(
    go_plugin: Path, open_registry: RunningRegistry, cli: Cli, tmp_path: Path
) -> None:
    name = f"{open_registry.host}/render/go:v1"
    assert cli("build", go_plugin, "-t", name, "--push").code == 0
    text = resource(f"oci://{name}", "  pluginConfig: {first-header: a, another-header: b}\n")
    report = judged(cli, tmp_path, text, "--target", "istio-1.24", "--target", "istio-1.31")
    verdicts = {row["target"]: row["verdict"] for row in report["targets"]}
    assert verdicts == {"istio-1.24": "reject", "istio-1.31": "accept"}
    assert "ABI002" in codes(report, "error")


def secret(data: object, kind: str = "kubernetes.io/dockerconfigjson", space: str = "mesh") -> str:
    text = base64.b64encode(json.dumps(data).encode()).decode()
    return (
        f"---\napiVersion: v1\nkind: Secret\nmetadata: {{name: pull, namespace: {space}}}\n"
        f"type: {kind}\ndata:\n  .dockerconfigjson: {text}\n"
    )


def test_pull_secrets(htpasswd_registry: RunningRegistry, cli: Cli, tmp_path: Path) -> None:
    registry = htpasswd_registry
    name = f"{registry.host}/render/private:v1"
    login = ["-u", registry.username, "--password-stdin"]
    built = cli("build", C, "-t", name, "--push", *login, stdin=registry.password.encode())
    assert built.code == 0, built.err
    cli("remove", name)
    made = cli("render", "secret", registry.host, "--name", "pull", "-n", "mesh", *login,
               stdin=registry.password.encode())  # fmt: skip
    assert made.code == 0, made.err
    plain = resource(f"oci://{name}", "  imagePullSecret: pull\n")
    good = judged(cli, tmp_path, f"{plain}---\n{made.out}")
    assert good["verdict"] == "accept"
    assert "WPL015" not in codes(good, "warning"), "the Secret among the files is used"
    unseen = judged(cli, tmp_path, plain)
    assert "WPL015" in codes(unseen, "warning")
    assert cli("login", registry.host, *login, stdin=registry.password.encode()).code == 0
    assert "WPL026" not in codes(judged(cli, tmp_path, plain), "warning")
    lacking = judged(cli, tmp_path, resource(f"oci://{name}"))
    assert "WPL026" in codes(lacking, "warning"), "the mesh does not have the login used here"
    cli("logout", registry.host)
    entry = {"username": "a", "password": "b"}
    wrong = [
        (
            secret({"auths": {f"https://{registry.host}": entry}}),
            "holds credentials only for https://",
        ),
        (secret({"auths": {}}), "for no registry"),
        (secret(None), "is null"),
        (secret({}, "Opaque"), "missing image pulling secret"),
        (secret({"auths": {registry.host: entry}}, space="other"), "the mesh looks in mesh only"),
    ]
    for text, said in wrong:
        report = judged(cli, tmp_path, plain + text, "--no-image")
        (finding,) = [f for f in report["findings"] if f["code"] == "WPL010"]
        assert said in finding["message"]


def test_the_module_with_another_configuration_and_the_real_envoy(
    image: str, cli: Cli, tmp_path: Path
) -> None:
    (tmp_path / "empty.json").write_bytes(b"")
    (tmp_path / "wrong.json").write_text('{"x-number": 1}')
    text = resource(f"oci://{image}", '  pluginConfig: {x-name: "value"}\n')
    for given, verdict in (
        ([], "accept"),
        (["--plugin-config", "empty.json", "--root-id", "other"], "accept"),
        (["--plugin-config", "wrong.json"], "reject"),
    ):
        report = judged(cli, tmp_path, text, "--envoy", *given)
        assert report["verdict"] == verdict
        (said,) = [f for f in report["findings"] if f["code"].startswith("ENV")]
        assert said["code"] == "ENV003", "the real Envoy says the same"
        assert [row["target"] for row in report["targets"]].count("envoy-1.40") == 1
    refused = cli("validate", "wasmplugin", "p.yaml", "--no-image", "--envoy")
    assert (refused.code, refused.out) == (2, "")


def test_a_secret_without_credentials(cli: Cli) -> None:
    done = cli("render", "secret", "registry.example.com")
    assert done.code == 4
    assert "wasmpack login registry.example.com" in done.err


SHORT_LIVED = [
    ("123456789012.dkr.ecr.eu-west-1.amazonaws.com", "AWS", "12 hours"),
    ("europe-docker.pkg.dev", "oauth2accesstoken", "an hour"),
    ("me.azurecr.io", "00000000-0000-0000-0000-000000000000", "3 hours"),
    ("quay.io", "me", ""),
    ("europe-docker.pkg.dev", "_json_key", ""),
]


@pytest.mark.parametrize(("host", "user", "life"), SHORT_LIVED)
def test_credentials_that_expire(host: str, user: str, life: str, cli: Cli) -> None:
    done = cli("render", "secret", host, "-u", user, "--password-stdin", stdin=b"token")
    value = yaml.safe_load(done.out)
    content = json.loads(base64.b64decode(value["data"][".dockerconfigjson"]))
    assert content["auths"][host]["username"] == user
    assert (f"expires within {life}" in done.err) if life else not done.err


def test_a_template_of_a_secret(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "s.yaml").write_text(
        "apiVersion: v1\nkind: Secret\nmetadata: {name: '${name}', labels: {a: b}}\ntype: Opaque\n"
    )
    arguments = [
        "render",
        "secret",
        "QUAY.io",
        "-u",
        "me",
        "--password-stdin",
        "--template",
        "s.yaml",
    ]
    value = yaml.safe_load(cli(*arguments, stdin=b"x").out)
    assert value["type"] == "kubernetes.io/dockerconfigjson"
    assert value["metadata"] == {"name": "quay-io-pull-secret", "labels": {"a": "b"}}
    assert "quay.io" in json.loads(base64.b64decode(value["data"][".dockerconfigjson"]))["auths"]
    assert cli(*arguments, "--name", "Not_Valid", stdin=b"x").code == 2


def test_docker_hub_has_its_own_key(cli: Cli) -> None:
    done = cli("render", "secret", "docker.io", "-u", "me", "--password-stdin", stdin=b"x")
    content = base64.b64decode(yaml.safe_load(done.out)["data"][".dockerconfigjson"])
    assert list(json.loads(content)["auths"]) == ["https://index.docker.io/v1/"]


BAD_FILES = [
    ("a: [1", "p.yaml:1:4: while parsing a flow sequence"),
    ("a:\n\tb: 1", "p.yaml:2:1: a tab"),
    ("kind: Pod", "no WasmPlugin or TrafficExtension in it, only Pod"),
    ("", "no WasmPlugin or TrafficExtension in it"),
    (
        "apiVersion: maistra.io/v1\nkind: ServiceMeshExtension",
        "wasmpack migrate servicemeshextension",
    ),
    (resource("oci://quay.io/a:v1") + "  url: x\n", "p.yaml:6:3: duplicate key 'url'"),
]


@pytest.mark.parametrize(("text", "said"), BAD_FILES)
def test_files_that_cannot_be_judged(text: str, said: str, cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text(text)
    done = cli("validate", "wasmplugin", "p.yaml")
    assert done.code == 3
    assert said in " ".join((done.out + done.err).split())
    assert "Traceback" not in done.err


def test_a_file_that_is_not_yaml_hides_no_other(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("a:\n\tb: 1")
    (tmp_path / "b.yaml").write_text(resource("localhost:5000/x:v1"))
    done = cli("validate", "wasmplugin", "a.yaml", "b.yaml", "--format", "json")
    assert done.code == 3
    found = {(f["code"], f["where"]) for f in json.loads(done.out)["findings"]}
    assert {("WPL000", "a.yaml"), ("WPL005", "b.yaml:5 spec.url")} <= found


def test_directories_streams_and_lists(cli: Cli, tmp_path: Path) -> None:
    folder = tmp_path / "k8s"
    folder.mkdir()
    item: dict[str, Any] = {
        "apiVersion": "extensions.istio.io/v1alpha1", "kind": "WasmPlugin",
        "metadata": {"name": "a"}, "spec": {"url": "file:///x.wasm", "priority": 1},
    }  # fmt: skip
    other = {**item, "metadata": {"name": "b"}, "spec": {**item["spec"], "priority": 2}}
    (folder / "list.json").write_text(json.dumps({"kind": "List", "items": [item, other]}))
    (folder / "notes.txt").write_text("not read")
    assert cli("validate", "wasmplugin", "k8s").code == 0
    assert cli("validate", "wasmplugin", "-", stdin=json.dumps(item).encode()).code == 0
    (tmp_path / "empty").mkdir()
    assert cli("validate", "wasmplugin", "empty").code == 4
    assert cli("validate", "wasmplugin", "nowhere.yaml").code == 4


@pytest.mark.parametrize(
    "around",
    [
        "{apiVersion: extensions.istio.io/v1alpha1, kind: WasmPluginList, items: [{kind: null, "
        "apiVersion: null, %s}]}",
        "{apiVersion: extensions.istio.io/v1alpha1, kind: WasmPluginList, items: [{kind: '', "
        "apiVersion: '', %s}]}",
        "{apiVersion: v1, kind: ConfigMap, items: [{apiVersion: extensions.istio.io/v1alpha1, "
        "kind: WasmPlugin, %s}]}",
        "{apiVersion: extensions.istio.io/v1alpha1, kind: WasmPlugin, items: [], %s}",
    ],
    ids=["both null", "both empty", "in another kind", "an empty list itself"],
)
def test_no_resource_hides_in_a_list(around: str, cli: Cli, tmp_path: Path) -> None:
    bad = around % "metadata: {name: bad}, spec: {url: '', phase: NOPE}"
    (tmp_path / "a.yaml").write_text(f"{resource('file:///x.wasm')}---\n{bad}\n")
    done = cli("validate", "wasmplugin", "a.yaml")
    assert (done.code, "WPL001" in done.out) == (3, True), done.out


def test_targets_in_support_are_judged(cli: Cli, tmp_path: Path) -> None:
    report = judged(cli, tmp_path, resource("file:///x.wasm"))
    expected = {t.name for t in default_targets() if t.consumer in {"istio", "ossm"}}
    assert {row["target"] for row in report["targets"]} == expected
