"""A module's memory as host functions use it, and the ways in which a call ends.

A host function returns None or a status, or raises one of the exceptions here; :class:`Refused` is
the usual way to fail.
"""

from abc import ABC, abstractmethod
from enum import IntEnum
from typing import TypeVar

from wasmpack.dry_run.result import Cause

_KEPT_LIMIT = 64 * 1024 * 1024
_T = TypeVar("_T")


class Status(IntEnum):
    """``proxy_status_t`` (proxy-wasm-cpp-sdk, proxy_wasm_enums.h, ``WasmResult``)."""

    OK = 0
    NOT_FOUND = 1
    BAD_ARGUMENT = 2
    SERIALIZATION_FAILURE = 3
    PARSE_FAILURE = 4
    BAD_MEMORY = 6
    EMPTY = 7
    CAS_MISMATCH = 8
    INTERNAL_FAILURE = 10
    UNIMPLEMENTED = 12


class Refused(Exception):
    """The call fails, and the module gets an error status."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


def found(value: _T | None, otherwise: int = Status.NOT_FOUND) -> _T:
    """Return the value, or refuse the call where there is none.

    :raises Refused: with that status
    """
    if value is None:
        raise Refused(otherwise)
    return value


class OverLimit(Exception):
    """A bound of ours was reached inside a host call; unwinds the module's stack."""


class ProxyCrash(Exception):
    """The call ends the whole proxy."""

    def __init__(self, cause: Cause) -> None:
        super().__init__(cause)
        self.cause = cause


class Restricted(Exception):
    """The allocator made a call that is forbidden to it, as it is to start code."""


class Kept:
    """Counts what the host keeps for a module."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._size = 0

    def add(self, size: int) -> None:
        """Count more.

        :raises OverLimit: it is too much
        """
        self._size += size + 64
        if self._size > _KEPT_LIMIT:
            raise OverLimit(f"more than {_KEPT_LIMIT} bytes of {self._what}")


Span = tuple[int, int]
"""Address and size."""


class GuestMemory(ABC):
    """A module's memory as the host sees it; the rest is derived from three methods.

    :raises ProxyCrash: from each method, if the host sees no memory
    """

    @abstractmethod
    def read(self, address: int, size: int) -> bytes | None:
        """The bytes there; None if they are not in the memory."""

    @abstractmethod
    def write(self, address: int, data: bytes) -> bool:
        """False if the address is outside the memory."""

    @abstractmethod
    def allocate(self, size: int) -> int:
        """Request memory from the module; 0 if it returns none, or an invalid address."""

    def texts(self, *spans: Span) -> list[bytes]:
        """Read all.

        :raises Refused: one is not in the memory
        """
        read = [self.read(*span) for span in spans]
        return [found(text, Status.BAD_MEMORY) for text in read]

    def text(self, address: int, size: int) -> bytes:
        """Read one, as :meth:`texts` does."""
        return self.texts((address, size))[0]

    def put(self, address: int, value: int, width: int = 4) -> None:
        """Write a number (wasm_base.h, ``setDatatype``).

        :raises Refused: there is no such place
        """
        if not self.write(address, value.to_bytes(width, "little")):
            raise Refused(Status.BAD_MEMORY)

    def give(self, value: bytes, data: int, size: int) -> None:
        """Hand bytes over in memory of the module's (wasm_base.h, ``copyToPointerSize``).

        :param data: address of their address
        :param size: address of their number
        :raises Refused: one of them cannot be written
        """
        address = self.allocate(len(value)) if value else 0
        if value and not (address and self.write(address, value)):
            raise Refused(Status.BAD_MEMORY)
        self.put(data, address)
        self.put(size, len(value))
