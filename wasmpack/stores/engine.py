"""The Docker SDK's client, with answers that are bounded: it keeps each of them in memory.

Imported only where an engine is asked: the SDK takes long to load.
"""

from collections.abc import Iterator
from typing import Any, Self

from docker import APIClient
from docker.utils import kwargs_from_env

from wasmpack.errors import BadArtifact

ANSWER = 4 << 20
"""Most bytes of an answer that is no image; what an engine knows of one are a few thousand."""
PROGRESS = 1 << 16
"""Most bytes of what it reports while it loads one: the SDK parses it again with each piece."""


class Engine(APIClient):
    """An engine; it is never followed to another place."""

    most = ANSWER
    """Bytes of each answer from now on."""

    def __init__(self, **named: Any) -> None:
        self._responses: list[Any] = []
        super().__init__(**named)

    @classmethod
    def from_environment(cls) -> Self:
        """The one that ``DOCKER_HOST`` names, or that of this machine."""
        return cls(**kwargs_from_env())

    def get_redirect_target(self, _response: Any) -> None:
        return None

    def send(self, request: Any, **named: Any) -> Any:
        """:raises BadArtifact: a longer answer than :attr:`most`, when it is read."""
        response = super().send(request, **{**named, "stream": True})
        response.raw = _Bounded(response.raw, self.most)
        self._responses.append(response)
        if not named.get("stream"):
            with response:
                response.content  # noqa: B018 - read now, as it would have been
        return response

    def close(self) -> None:
        """Together with what was not read to its end."""
        for response in self._responses:
            response.close()
        super().close()


class _Bounded:
    """The body of an answer, as the SDK and requests read it."""

    def __init__(self, raw: Any, most: int) -> None:
        self._raw = raw
        self._most = self._left = most

    def __getattr__(self, name: str) -> Any:
        return getattr(self._raw, name)

    def read(self, size: int, **named: Any) -> bytes:
        return self._counted(self._raw.read(min(size, self._left + 1), **named))

    def stream(self, size: int, **named: Any) -> Iterator[bytes]:
        return map(self._counted, self._raw.stream(size, **named))

    def _counted(self, piece: bytes) -> bytes:
        self._left -= len(piece)
        if self._left < 0:
            raise BadArtifact(f"the Docker engine sends more than {self._most} bytes")
        return piece
