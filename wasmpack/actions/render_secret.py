"""The pull secret of a registry, from the credentials one has."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from wasmpack.errors import NotFound, WrongUsage
from wasmpack.kubeyaml.documents import path_text
from wasmpack.kubeyaml.writer import Rendered
from wasmpack.mesh.plugin import mapping
from wasmpack.mesh.pulling import SECRET_KEY, SECRET_TYPE, secret_content
from wasmpack.mesh.templates import merged, read_template
from wasmpack.oci.canonical import JsonObject
from wasmpack.oci.reference import RegistryName
from wasmpack.schemas import schema_faults
from wasmpack.stores.registry.credentials import Credential, find_credential
from wasmpack.stores.session import Session
from wasmpack.template_files import template_file

_SHORT_LIVED = (
    (r"\d+\.dkr\.ecr(-fips)?\.[a-z0-9-]+\.amazonaws\.com(\.cn)?", ("AWS",), "ECR", "12 hours"),
    (
        r"([a-z0-9-]+-docker\.pkg\.dev|([a-z]+\.)?gcr\.io)",
        ("oauth2accesstoken",),
        "Google",
        "an hour",
    ),
    (r"[a-z0-9]+\.azurecr\.io", ("00000000-0000-0000-0000-000000000000",), "ACR", "3 hours"),
)
"""(registry, user names of its tokens, issuer, lifetime)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretRequest:
    """The Secret to write."""

    registry: str
    """``HOST[:PORT]``."""
    name: str | None = None
    """Name of the Secret; None derives one from the registry's."""
    namespace: str | None = None
    """The plugin's namespace; None leaves it open until the Secret is applied."""
    template: tuple[bytes, str] | None = None
    """Content and name of the user's template."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderedSecret:
    """The Secret, and warnings about its future."""

    rendered: Rendered
    """The Secret, ready to be printed."""
    warnings: tuple[str, ...]
    """Sentences about credentials that do not last."""

    def text(self, shape: str) -> str:
        """As ``yaml`` or ``json``."""
        return self.rendered.text(shape)


def render_secret(request: SecretRequest, session: Session | None = None) -> RenderedSecret:
    """Write the Secret that istio-agent finds the registry's credentials in.

    >>> session = wasmpack.Session().with_login("quay.io", "me+robot", "token")
    >>> rendered = wasmpack.render_secret(wasmpack.SecretRequest(registry="quay.io"), session)
    >>> "kubernetes.io/dockerconfigjson" in rendered.text("yaml")
    True

    :raises NotFound: no credentials for this registry
    """
    host = RegistryName.parse(request.registry).registry.lower()
    session = session or Session()
    credential = find_credential(host, "", session.registry, session.notice)
    if credential is None:
        raise NotFound(
            f"no credentials for {host}",
            hint=f"wasmpack login {host}, or --username with --password-stdin",
        )
    if credential.identity_token:
        raise WrongUsage(
            f"the only credentials for {host} are an identity token, which pods cannot renew",
            hint="--username with --password-stdin: a robot account or a pull token",
        )
    raw, source = request.template or (template_file("secret.yaml"), "templates/secret.yaml")
    name = request.name or f"{re.sub(r'[^a-z0-9]+', '-', host.lower()).strip('-')}-pull-secret"
    known = {"name": name, "registry": host}
    if request.namespace:
        known["namespace"] = request.namespace
    template = read_template(raw, source, "Secret", known)
    content = secret_content(host, credential.username, credential.secret)
    metadata: JsonObject = {"namespace": request.namespace} if request.namespace else {}
    over: JsonObject = {"metadata": metadata, "type": SECRET_TYPE, "data": {SECRET_KEY: content}}
    value = mapping(merged(template.value, over))
    for fault in schema_faults("wasmplugin", value.get("metadata"), "metadata"):
        raise WrongUsage(f"metadata.{path_text(fault.path)}: {fault.message}")
    rendered = Rendered(documents=template.with_value(value, {}))
    return RenderedSecret(rendered=rendered, warnings=tuple(_warnings(host, credential)))


def _warnings(host: str, credential: Credential) -> Iterator[str]:
    for pattern, users, owner, life in _SHORT_LIVED:
        if re.fullmatch(pattern, host) and credential.username in users:
            yield (
                f"this token of {owner} expires within {life}; plugins that are pulled later fail "
                "closed. Let a CronJob or the External Secrets operator write this Secret again, "
                "or use credentials that last"
            )
