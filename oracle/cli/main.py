"""The command `provenance`, assembled from the commands of user, publisher and operator.

`provenance --help` must be quick, so neither this module nor a module of a command imports anything heavy.
"""

from __future__ import annotations

from typing import Any

import click

from provenance_oracle.oracle.cli.claim import claim
from provenance_oracle.oracle.cli.demo import demo
from provenance_oracle.oracle.cli.deploy import deploy
from provenance_oracle.oracle.cli.retry import retry
from provenance_oracle.oracle.cli.watch import watch
from provenance_oracle.publisher.cli.attest import attest
from provenance_oracle.publisher.cli.pack import pack
from provenance_oracle.verifier.cli.commands import COMMANDS as USER_COMMANDS
from provenance_oracle.verifier.cli.console import prepare_streams


class Commands(click.Group):
    """A group that lists its commands in the order in which a newcomer meets them."""

    def main(self, *args: Any, **kwargs: Any) -> Any:
        """Run the command line. Whatever the locale is, no character of the output ends a command."""
        prepare_streams()
        return super().main(*args, **kwargs)

    def list_commands(self, _context: click.Context) -> list[str]:
        return list(self.commands)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name="provenance-oracle", message="%(package)s %(version)s")
def main() -> None:
    """Record on chain where an AI model came from, and check it without trusting anyone.

    \b
    Exit codes: 0 accepted, 1 internal error, 2 usage, 3 malformed, 4 forged, 5 genuine but refused by policy,
    6 no record or revoked, 7 temporary: try again.
    """


for _command in (demo, *USER_COMMANDS, attest, pack, deploy, claim, watch, retry):
    main.add_command(_command)

if __name__ == "__main__":
    main()
