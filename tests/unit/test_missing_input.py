"""Hints for what a plugin was not given."""

import pytest

from wasmpack.dry_run.start_up import StartUp
from wasmpack.module_rules.missing_input import GIVE, Missing, give

NOTHING, FROM_PROXY = StartUp(), StartUp(host_env=("POD_NAME", "MODE"), env_complete=True)


@pytest.mark.parametrize("missing", Missing)
def test_a_value_of_the_proxy_is_not_to_be_added_again(missing: Missing) -> None:
    assert give(missing, NOTHING) == GIVE[missing]
    hint = give(missing, FROM_PROXY)
    assert (hint == GIVE[missing]) is (missing is not Missing.ENVIRONMENT)
    if missing is Missing.ENVIRONMENT:
        assert hint == (
            "the proxy's environment gives POD_NAME, MODE a value, which is not known here: "
            "wasmpack validate tries one with --env POD_NAME=VALUE"
        )
