"""Authorities that are trusted, and certificates to show, by host.

All of these count: the system's store with ``SSL_CERT_FILE`` and ``SSL_CERT_DIR`` as OpenSSL and Go
have them, ``REQUESTS_CA_BUNDLE``, Docker's and Podman's ``certs.d/HOST[:PORT]`` (certs.d(5)),
``--ca-file``. certifi's list stands in for a system's store that is missing.
"""

import contextlib
import os
import ssl
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from wasmpack.errors import BadArtifact, NotFound
from wasmpack.files.home import below_home
from wasmpack.oci.reference import DOCKER_HUB
from wasmpack.stores.registry.options import RegistryOptions, api_host

_BUNDLES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
)
"""Certificate files of distributions, for a Python whose OpenSSL looks elsewhere."""
_CERTS_D = (Path("/etc/containers/certs.d"), Path("/etc/docker/certs.d"))
_MOST_FILES = 1000
"""Files of one directory that are read."""


def certificates_of(host: str) -> list[Path]:
    """The directories of certificates for a host that exist: Podman's of the user first.

    :param host: with its port, if the URL has one
    """
    name, _, port = host.rpartition(":")
    names = [host, *([name] if port == "443" else [])]
    if host == api_host(DOCKER_HUB):
        names.append(DOCKER_HUB)
    own = below_home("XDG_CONFIG_HOME", ".config")
    roots = [*([own / "containers" / "certs.d"] if own else []), *_CERTS_D]
    return [root / name for root in roots for name in names if _is_directory(root / name)]


def configure(
    context: ssl.SSLContext, options: RegistryOptions, directories: Sequence[Path]
) -> None:
    """Make a context trust what counts, and show what the host wants to see.

    :param directories: of certificates for the host
    :raises NotFound: a certificate file that is not there
    :raises BadArtifact: a certificate file without a usable certificate
    """
    if not options.insecure:
        _trust_system(context)
        for variable in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"):
            if path := os.environ.get(variable):
                _trust(context, Path(path), f"{variable}: ")
    for directory in directories:
        _trust_directory(context, directory)
    if options.ca_file and not options.insecure:
        _trust(context, Path(options.ca_file))
    if options.cert_file:
        _show(context, Path(options.cert_file), options.key_file and Path(options.key_file))


def _trust_system(context: ssl.SSLContext) -> None:
    context.load_default_certs()
    for name in filter(None, os.environ.get("SSL_CERT_DIR", "").split(os.pathsep)):
        _trust_files(context, Path(name))
    if os.environ.get("SSL_CERT_FILE") or ssl.get_default_verify_paths().cafile:
        return
    bundle = next((path for path in _BUNDLES if os.path.isfile(path)), None)  # noqa: PTH113
    if bundle is None and not context.cert_store_stats()["x509_ca"]:
        import certifi

        bundle = certifi.where()
    if bundle:
        context.load_verify_locations(bundle)


def _trust_files(context: ssl.SSLContext, directory: Path) -> None:
    """All certificates of a directory, whatever their names (OpenSSL wants hashes for names)."""
    for path in _files(directory):
        with contextlib.suppress(OSError):  # ssl.SSLError is one: something else may lie there
            context.load_verify_locations(path)


def _trust(context: ssl.SSLContext, path: Path, origin: str = "") -> None:
    if path.is_dir():
        _trust_files(context, path)
        return
    with _explained(path, origin):
        context.load_verify_locations(path)


def _trust_directory(context: ssl.SSLContext, directory: Path) -> None:
    """``*.crt`` are authorities, ``NAME.cert`` with ``NAME.key`` is shown to the host."""
    for path in _files(directory):
        if path.suffix == ".crt" and context.verify_mode != ssl.CERT_NONE:
            _trust(context, path)
        elif path.suffix == ".cert":
            _show(context, path, path.with_suffix(".key"))


def _show(context: ssl.SSLContext, certificate: Path, key: Path | str | None) -> None:
    for path in (certificate, key):
        if path and not os.path.exists(path):  # noqa: PTH110
            raise NotFound(f"{path}: no such file", hint="a PEM file is expected")
    with _explained(certificate):
        context.load_cert_chain(certificate, key or None, _no_password(certificate))


def _no_password(path: Path) -> Callable[[], str]:
    """OpenSSL would ask at the terminal."""

    def refuse() -> str:
        raise BadArtifact(f"{path}: its key is encrypted", hint="openssl pkey -in KEY -out PLAIN")

    return refuse


@contextlib.contextmanager
def _explained(path: Path, origin: str = "") -> Iterator[None]:
    try:
        yield
    except FileNotFoundError:
        raise NotFound(f"{origin}{path}: no such file", hint="a PEM file is expected") from None
    except ssl.SSLError as error:
        raise BadArtifact(f"{origin}{path}: no certificate: {error.reason}") from error
    except OSError as error:
        raise BadArtifact(f"{origin}{path}: {error.strerror}") from error


def _files(directory: Path) -> list[Path]:
    try:
        return sorted(path for path in directory.iterdir() if path.is_file())[:_MOST_FILES]
    except OSError:
        return []


def _is_directory(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:  # one above it cannot be entered
        return False
