"""A proxy between us and a real registry that does to requests what networks and registries do."""

from support.faults.proxy import FaultyProxy, Seen
from support.faults.schedule import Fault, Rule

__all__ = ["Fault", "FaultyProxy", "Rule", "Seen"]
