"""The model user's commands, in the order in which the help lists them."""

from __future__ import annotations

from provenance_oracle.verifier.cli.check import check
from provenance_oracle.verifier.cli.disk import disk
from provenance_oracle.verifier.cli.export import export
from provenance_oracle.verifier.cli.hash import hash_command
from provenance_oracle.verifier.cli.measure import measure
from provenance_oracle.verifier.cli.networks import networks
from provenance_oracle.verifier.cli.report import report
from provenance_oracle.verifier.cli.show import show
from provenance_oracle.verifier.cli.signature import signature

COMMANDS = (check, signature, report, hash_command, disk, measure, show, export, networks)
