"""The command `provenance`, assembled from the commands of user, publisher and operator.

`provenance --help` must be quick, so neither this module nor a module of a command imports anything heavy.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from functools import partial
from typing import Any

import click

from provenance_oracle.oracle.cli.adopt import adopt
from provenance_oracle.oracle.cli.audit import audit
from provenance_oracle.oracle.cli.backup import backup, restore
from provenance_oracle.oracle.cli.claim import claim
from provenance_oracle.oracle.cli.demo import demo
from provenance_oracle.oracle.cli.deploy import deploy
from provenance_oracle.oracle.cli.disprove import disprove
from provenance_oracle.oracle.cli.index import index_chain
from provenance_oracle.oracle.cli.key import key
from provenance_oracle.oracle.cli.proof import proof
from provenance_oracle.oracle.cli.prove import prove
from provenance_oracle.oracle.cli.retry import retry
from provenance_oracle.oracle.cli.revoke import revoke
from provenance_oracle.oracle.cli.serve import serve_explorer
from provenance_oracle.oracle.cli.settings import settings
from provenance_oracle.oracle.cli.status import status
from provenance_oracle.oracle.cli.verdict import verdict
from provenance_oracle.oracle.cli.watch import watch
from provenance_oracle.publisher.cli.attest import attest
from provenance_oracle.publisher.cli.identity import identity
from provenance_oracle.publisher.cli.pack import pack
from provenance_oracle.publisher.cli.sign import sign
from provenance_oracle.verifier.cli.commands import COMMANDS as USER_COMMANDS
from provenance_oracle.verifier.cli.completion_script import completion
from provenance_oracle.verifier.cli.console import ended, prepare_streams, uses_color

ROLES: tuple[tuple[str, tuple[click.Command, ...]], ...] = (
    ("Commands to begin with", (demo, completion)),
    ("Commands for model users", USER_COMMANDS),
    ("Commands for publishers", (attest, pack, sign, identity)),
    (
        "Commands for operators, to claim a name, and to prove a release",
        (
            key,
            deploy,
            claim,
            adopt,
            prove,
            disprove,
            watch,
            index_chain,
            serve_explorer,
            settings,
            status,
            retry,
            audit,
            verdict,
            proof,
            backup,
            restore,
            revoke,
        ),
    ),
)


class Commands(click.Group):
    """A group that lists its commands by role, in the order in which a newcomer meets them."""

    def main(self, args: Sequence[str] | None = None, *rest: Any, standalone_mode: bool = True, **more: Any) -> Any:
        """Run the command line. No character of the output ends a command, whatever the locale is."""
        prepare_streams()
        more.setdefault("color", uses_color(os.environ))
        run = partial(super().main, args, *rest, standalone_mode=False, **more)
        return ended(run, sys.argv[1:] if args is None else args) if standalone_mode else run()

    def list_commands(self, _context: click.Context) -> list[str]:
        return list(self.commands)

    def format_commands(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        """Write one section for each role."""
        width = max(map(len, self.commands))
        for role, commands in ROLES:
            with formatter.section(role):
                rows = [(f"{one.name:<{width}}", one.get_short_help_str(formatter.width)) for one in commands]
                formatter.write_dl(rows)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name="provenance-oracle", message="%(package)s %(version)s")
def main() -> None:
    """Record on chain where an AI model came from, and check it without trusting anyone.

    Exit codes: 0 accepted, 1 internal error, 2 usage, 3 malformed, 4 forged, 5 genuine but refused by policy,
    6 no record or revoked, 7 temporary: try again.
    """


for _command in (one for _, commands in ROLES for one in commands):
    main.add_command(_command)

if __name__ == "__main__":
    main()
