"""Public functions that judge, and write, what a mesh is given."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from wasmpack.actions.checks import Checks, ImageScope
from wasmpack.actions.documents import read_or_report
from wasmpack.actions.migrate import Migration, MigrationRequest, migrate_extensions
from wasmpack.actions.render import RenderedPlugin, render_wasmplugin
from wasmpack.actions.render_source import RenderRequest
from wasmpack.actions.several import in_order
from wasmpack.actions.validate import validate_module
from wasmpack.actions.validate_image import validate_image
from wasmpack.actions.validate_wasmplugin import validate_wasmplugin
from wasmpack.dry_run.start_up import StartUp
from wasmpack.findings import Report
from wasmpack.images.image import Image
from wasmpack.proxy_abi.module import PluginModule
from wasmpack.stores.session import Session


def validate(
    subject: Image | PluginModule,
    *,
    targets: Sequence[str] = (),
    plugin_config: bytes | None = None,
    vm_config: bytes | None = None,
    env: Mapping[str, str] | None = None,
    root_id: str = "",
    strict: bool = False,
    dry_run: bool = True,
    envoy: bool = False,
) -> Report:
    """Validate an image or a module as each target's fetcher and proxy would.

    >>> report = wasmpack.validate(module, targets=["ossm-3.0"])
    >>> print(report)
    filter.wasm: accept
    <BLANKLINE>
      ossm-3.0  accept  (Istio 1.24.6)

    :param targets: release names such as ``ossm-3.0``, or ``all``; none means the default ones
    :param plugin_config: passed to the plugin when it starts; None for none
    :param vm_config: passed to its VM, by those proxies that can be given one
    :param env: environment variables it starts with
    :param root_id: by default the first in the image's runtime configuration
    :param strict: warnings reject too
    :param dry_run: start the module, in a separate process
    :param envoy: run the Envoy of this machine too
    :raises WrongUsage: an unknown target
    :raises NotFound: no such image; ``envoy``, and no Envoy found
    """
    start_up = StartUp(
        plugin_config=plugin_config,
        vm_config=vm_config,
        env=tuple((env or {}).items()),
        root_id=root_id,
        dry_run=dry_run,
    )
    checks = Checks(targets=targets, start_up=start_up, strict=strict, envoy=envoy)
    return _validated(subject, checks)


def validate_all(
    subjects: Iterable[Image | PluginModule], checks: Checks | None = None
) -> Iterator[Report]:
    """Validate many: yield a report for each, in their order, using all cores.

    Subjects are consumed as needed and not kept: there may be any number.

    >>> names = ["quay.io/me/plugin:v1", "oci:layout:v1"]
    >>> copied = wasmpack.copy(*names)
    >>> session = wasmpack.Session()
    >>> images = (wasmpack.open_image(name, session) for name in names)
    >>> checks = wasmpack.Checks(targets=["ossm-3.0"])
    >>> for report in wasmpack.validate_all(images, checks):
    ...     print(report.subject, report.verdict.value)
    quay.io/me/plugin:v1 accept
    oci:layout:v1 accept

    :raises WrongUsage: an unknown target
    :raises NotFound: one of the images is not there; the reports before it have been made
    """
    checks = checks or Checks()
    yield from in_order(subjects, lambda subject: _validated(subject, checks))


def _validated(subject: Image | PluginModule, checks: Checks) -> Report:
    if isinstance(subject, Image):
        return validate_image(subject, checks)
    return validate_module(subject, checks)


def validate_resources(
    files: Sequence[str | Path],
    checks: Checks | None = None,
    session: Session | None = None,
    *,
    images: ImageScope | None = None,
) -> Report:
    """Judge the WasmPlugins and TrafficExtensions in YAML and JSON files, and their images.

    >>> import pathlib
    >>> request = wasmpack.RenderRequest(source="quay.io/me/plugin:v1")
    >>> size = pathlib.Path("plugin.yaml").write_text(wasmpack.render(request).text("yaml"))
    >>> wasmpack.validate_resources(["plugin.yaml"]).verdict.value
    'accept'

    :param files: files, or directories of them
    :param images: how far the images are looked at
    :raises NotFound: no such file
    :raises BadArtifact: no such resource in the files
    """
    names = [str(file) for file in files]
    documents, unreadable = read_or_report(names)
    return validate_wasmplugin(
        documents, ", ".join(names), checks, session, images=images, unreadable=unreadable
    )


def render(request: RenderRequest, session: Session | None = None) -> RenderedPlugin:
    """Write the resource that lets a mesh load an image.

    >>> request = wasmpack.RenderRequest(source="quay.io/me/plugin:v1", pin=True)
    >>> rendered = wasmpack.render(request)
    >>> f"sha256: {pushed.digest.hex}" in rendered.text("yaml")
    True

    :raises RejectedArtifact: the targets would refuse it
    :raises WrongUsage: a field that this kind cannot say
    :raises NotFound, RegistryUnavailable: ``pin``, and the image cannot be read
    """
    return render_wasmplugin(request, session)


def migrate(request: MigrationRequest, session: Session | None = None) -> Migration:
    """Turn ServiceMeshExtensions into WasmPlugins, and their images where that is asked for.

    >>> extension = b'''
    ... apiVersion: maistra.io/v1
    ... kind: ServiceMeshExtension
    ... metadata: {name: header, namespace: shop}
    ... spec: {image: quay.io/me/plugin:v1, phase: PreAuthZ}
    ... '''
    >>> documents = list(wasmpack.read_documents(extension, "extension.yaml"))
    >>> request = wasmpack.MigrationRequest(documents=documents, subject="extension.yaml")
    >>> migration = wasmpack.migrate(request)
    >>> [document.value["kind"] for document in migration.outputs]
    ['WasmPlugin']

    :raises BadArtifact: none among the documents
    """
    return migrate_extensions(request, session)
