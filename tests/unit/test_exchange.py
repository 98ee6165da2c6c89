"""How long one request may take."""

import pytest

from wasmpack.errors import RegistryUnavailable, silence
from wasmpack.stores.registry.address import Address
from wasmpack.stores.registry.exchange import Exchange, Request
from wasmpack.stores.registry.failures import Peer, failed
from wasmpack.stores.registry.options import RegistryOptions
from wasmpack.stores.registry.retries import RetryBudget

BASE = Address.parse("https://r.example/")


def request(method: str, *, hurry: bool = False) -> Request:
    return Request(method=method, address=BASE, headers={}, hurry=hurry)


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PATCH", "PUT"])
def test_each_request_has_three_timeouts(method: str) -> None:
    exchange = Exchange("r.example", BASE, RegistryOptions(timeout=7.0))
    assert exchange.deadline(request(method)).seconds == 21.0
    assert exchange.deadline(request(method, hurry=True)).seconds == 3.0


def test_the_first_answer_that_takes_longer_is_the_last() -> None:
    """So a push waits for three timeouts at most, and not for three of each of its requests."""
    options = RegistryOptions()
    deadline = Exchange("r.example", BASE, options).deadline(request("HEAD"))
    deadline.passed = True
    failure = failed(TimeoutError(), Peer(host="r.example"), options.timeout, deadline)
    budget = RetryBudget(options.retries + 1, silence, sleep=pytest.fail)
    with pytest.raises(RegistryUnavailable, match="no complete answer within 90 s"):
        budget.wait(failure)  # type: ignore[arg-type]
