"""Text that may be an image name: its command completes the names as the project file says."""

from click.types import StringParamType

from wasmpack.cli.options import completed_name
from wasmpack.oci.reference import LIBRARY


class MaybeNameType(StringParamType):
    """An image name, or something else."""

    of_project = True


MAYBE_NAME = MaybeNameType()


def completed_subject(text: str) -> str:
    """As :func:`completed_name`, of text that may name a file."""
    from wasmpack.actions.subjects import names_file

    return text if names_file(text) else completed_name(text)


def name_here(shown: str) -> str:
    """A name of the local store as it is typed here: in full, if the project would complete it."""
    return shown if completed_name(shown, tagged=False) == shown else f"{LIBRARY}{shown}"
