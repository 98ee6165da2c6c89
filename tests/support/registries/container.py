"""Run a registry as a container of the local Docker engine, by testcontainers."""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import PurePosixPath
from typing import cast

from docker.errors import DockerException
from testcontainers.core.container import DockerContainer
from testcontainers.core.docker_client import DockerClient
from testcontainers.core.wait_strategies import HttpWaitStrategy

from support.registries.image import find_image
from support.registries.model import RegistryUnavailable, RunningRegistry, Setup

LOOPBACK = "127.0.0.1"
PORT = 5000
CONFIG = "/etc/docker/registry/config.yml"
AUTH_FOLDER = PurePosixPath("/auth")
START_LIMIT = 180
"""Seconds until a container that runs but does not answer is an error."""


class LoopbackContainer(DockerContainer):
    """A container whose port is bound on 127.0.0.1 and nowhere else.

    testcontainers would bind it on all interfaces, and inside a container it would look for it
    at the gateway's address; the engine was found to be local, so loopback is right.
    """

    def __init__(self, image: str) -> None:
        super().__init__(image)
        self.image = image  # without the prefix for hub images: a local image has none
        cast("dict[str, object]", self.ports)[f"{PORT}/tcp"] = (LOOPBACK, None)

    def get_container_host_ip(self) -> str:
        """Where the port is bound."""
        return LOOPBACK

    def get_exposed_port(self, port: int) -> int:
        """The host's port; ConnectionError when the container has ended already."""
        return int(self.get_docker_client().port(self.get_container_id(), port))

    def log_text(self) -> str:
        """Both streams, in the order they were written."""
        return self.get_wrapped_container().logs().decode(errors="replace")


@contextmanager
def run_container(setup: Setup) -> Iterator[RunningRegistry]:
    """Run `setup` in a container; it is removed, with its storage, at the end.

    Raises `RegistryUnavailable` without a local engine, without an image, or when the engine
    refuses to start containers. A registry that starts but does not answer is a mistake of ours:
    TimeoutError or ConnectionError.
    """
    # The reaper needs an image of its own, which cannot be pulled everywhere.
    os.environ.setdefault("TESTCONTAINERS_RYUK_DISABLED", "true")
    container = _new_container(setup, _image_of_local_engine())
    try:
        container.__enter__()
    except DockerException as error:
        raise RegistryUnavailable(f"the Docker engine cannot run a container: {error}") from error
    try:
        host = f"{LOOPBACK}:{container.get_exposed_port(PORT)}"
        yield setup.running(host, "container", container.log_text)
    finally:
        container.stop()


def _image_of_local_engine() -> str:
    try:
        _connect_to_socket()
        engine = DockerClient().client
    except (DockerException, OSError) as error:
        raise RegistryUnavailable(f"no Docker engine answers: {error}") from error
    try:
        # The SDK's name for a socket or a named pipe; anything else is a host of the network.
        if not str(engine.api.base_url).startswith("http+docker://local"):
            raise RegistryUnavailable(f"the Docker engine is remote: {engine.api.base_url}")
        return find_image(engine)
    finally:
        engine.close()


def _connect_to_socket() -> None:
    """Try the engine's socket, if it is one; OSError when nothing listens.

    The SDK would say so too, but then leaves a socket open, and that ResourceWarning ends a test
    run in which warnings are errors. Given a version, the SDK does not connect yet.
    """
    engine = DockerClient(version="1.41").client
    path = getattr(engine.api.get_adapter(engine.api.base_url), "socket_path", None)
    engine.close()
    if path is None:
        return
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(path)
        except OSError as error:
            raise OSError(f"{path}: {error.strerror}") from error


def _new_container(setup: Setup, image: str) -> LoopbackContainer:
    container = LoopbackContainer(image)
    container.with_command([CONFIG])
    container.with_copy_into_container(setup.config, CONFIG)
    for name, value in setup.variables.items():
        container.with_env(name, value)
    for file in setup.files:
        inside = str(AUTH_FOLDER / file.path.name)
        container.with_copy_into_container(file.path, inside)
        container.with_env(file.variable, inside)
    container.waiting_for(_answers())
    return container


def _answers() -> HttpWaitStrategy:
    """The registry answers; 401 is an answer. An open port is not one: the engine opens it."""
    strategy = HttpWaitStrategy(PORT, "/v2/").for_status_code(401)
    return strategy.with_poll_interval(0.1).with_startup_timeout(START_LIMIT)
