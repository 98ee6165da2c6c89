"""TLS that was trusted because of an option, where the mesh goes by its own trust."""

from wasmpack.findings import Problem, Rule, Severity
from wasmpack.mesh.plugin import Plugin
from wasmpack.stores.registry.options import RegistryOptions

OTHER_TRUST = Rule(
    code="WPL027",
    title="a server that was trusted because of `--insecure` or `--ca-file`, of which the mesh "
    "knows nothing",
    severity=Severity.INFO,
    consumer="Istio, Envoy Gateway, Higress",
    example="wasmpack validate wasmplugin plugin.yaml --ca-file ca.pem",
    fix="let the proxies trust the authority; in Istio also `WASM_INSECURE_REGISTRIES`",
)


def trust_problems(plugin: Plugin, host: str, options: RegistryOptions) -> list[Problem]:
    """The mesh needs to trust it as well.

    :param host: with the port, of what was read over TLS (istio pkg/wasm/cache.go compares it so)
    """
    if options.plain_http or not (options.insecure or options.ca_file):
        return []
    how = "--insecure" if options.insecure else "--ca-file"
    message = f"{host} was trusted because of {how}; the mesh goes by its own trust store"
    hint = (
        "a certificate of an authority that the proxies trust; or, in Istio, "
        f"WASM_INSECURE_REGISTRIES={host} in the environment of the proxies (istio-agent)"
    )
    return [plugin.problem(OTHER_TRUST, "url", message, hint)]
