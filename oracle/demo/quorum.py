"""The demo of several oracles: one lies and one is dead, so nothing is recorded; then the dead one comes back."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from provenance_oracle.oracle.chain.anvil import CHAIN_ID
from provenance_oracle.oracle.demo.chain import DemoChain, start_chain
from provenance_oracle.oracle.demo.folder import prepare_folder
from provenance_oracle.oracle.demo.stage import DemoError, run, running, say, step
from provenance_oracle.oracle.quorum.folder_exchange import FolderExchange
from provenance_oracle.oracle.quorum.proposal import Proposal, encode_proposal, parse_proposal
from provenance_oracle.oracle.signers.environment import EnvironmentSigner
from provenance_oracle.verifier.record.codec import decode_record, encode_record, record_id
from provenance_oracle.verifier.record.signing import publication_digest

_OWNER_KEY, _PUBLISHER_KEY, _REPORT_KEY, _PAYING_KEY = (
    f"DEMO_{who}_KEY" for who in ("OWNER", "PUBLISHER", "REPORT", "PAYING")
)
_ONCE_SECONDS = "4"
_TEMPORARY = 7


def run_quorum_demo(folder: Path, model: Path | None, keep_seconds: int, oracles: int) -> None:
    """Show that a liar records nothing, that a dead oracle only delays, and that one transaction records.

    Args:
        folder, model, keep_seconds: as in `run_demo`.
        oracles: the number of oracles, 3 or more. More than half of them must agree.

    Raises: as `run_demo`.
    """
    release = prepare_folder(folder, model)
    name = f"demo/{release.name}"
    honest = oracles // 2 + 1
    say("The hardware in this demo is SIMULATED. Chain, contract, oracles, signatures and checks are real.")

    step(1, f"The owner: a registry with {oracles} oracles, of which {honest} must sign every record")
    chain = start_chain(folder, keep_seconds)
    registry = str(folder / "deployments" / f"{CHAIN_ID}.json")
    environment = {
        _OWNER_KEY: chain.owner_key_hex,
        _PUBLISHER_KEY: chain.publisher_key_hex,
        "PROVENANCE_RPC": chain.rpc_url,
        "PROVENANCE_REGISTRY": registry,
    }
    people = [word for address in chain.oracles[:oracles] for word in ("--oracle", address)]
    places = ("--deployments", str(folder / "deployments"))
    deploy = ("deploy", "--key-variable", _OWNER_KEY, *people, "--threshold", str(honest), *places)
    run(*deploy, environment=environment)

    step(2, "The publisher: claim a namespace, attest, sign the release")
    run("claim", "demo", "--key-variable", _PUBLISHER_KEY, environment=environment)
    key, evidence = str(folder / "cvm.key"), str(folder / "evidence")
    run("attest", "--key", key, "--simulator", "genoa", "--out", evidence)
    run("pack", str(release), "--evidence", evidence, "--key", key, "--name", name, "--version", "1.0")

    shared = folder / "shared"
    for made in (shared, folder / "oracles"):
        made.mkdir()
    step(3, "Oracle 0: judge, sign, and offer the signature to the others. It is alone, so the record waits")
    first = _Oracle(0, folder, chain, environment)
    first.run(_TEMPORARY)

    step(4, "Oracle 1 lies: it signs a record with newer firmware than the chip has. Oracle 0 names the difference")
    _lie(shared, chain)
    first.run(_TEMPORARY)
    say("  Nothing is on chain: a liar records nothing, and with the others dead the record waits.")

    step(5, "The dead come back to life. The honest oracles agree on one moment, and one of them submits the record")
    _until_recorded(first, [_Oracle(number, folder, chain, environment) for number in range(2, honest + 1)])

    step(6, "The user: judge it again, and see who signed")
    run("check", str(release), "--policy", "demo", environment=environment)
    run("show", name, "--history", environment=environment)


class _Oracle:
    """One oracle with a journal and keys of its own. It exchanges signatures through the shared folder."""

    def __init__(self, number: int, folder: Path, chain: DemoChain, environment: dict[str, str]) -> None:
        journal = folder / "oracles" / f"{number}.sqlite"
        keys = ("--key-variable", _PAYING_KEY, "--report-key-variable", _REPORT_KEY)
        options = ("--policy", "demo", *keys, "--confirmations", "0", "--peers", str(folder / "shared"))
        self._watch = ("watch", str(folder / "releases"), "--journal", str(journal), *options)
        key = chain.oracle_keys_hex[number]
        seconds = {f"PROVENANCE_{name}_SECONDS": "1" for name in ("SCAN", "SETTLE")}
        self.environment = {**environment, **seconds, _PAYING_KEY: key, _REPORT_KEY: key}

    def run(self, wanted_exit: int = 0, seconds: str = _ONCE_SECONDS) -> None:
        """Run until the release is recorded, or for some seconds after it was judged."""
        once = ("--once", "--once-seconds", seconds)
        run(*self._watch, *once, environment=self.environment, wanted_exit=wanted_exit)

    @property
    def watch(self) -> tuple[str, ...]:
        """The command that runs it until a signal."""
        return self._watch


def _until_recorded(first: _Oracle, others: list[_Oracle]) -> None:
    if not others:
        first.run(seconds="120")
        return
    with running(*others[0].watch, environment=others[0].environment):
        _until_recorded(first, others[1:])


def _lie(shared: Path, chain: DemoChain) -> None:
    """Have oracle 1 sign what oracle 0 offers, with a higher firmware version."""
    liar = EnvironmentSigner("KEY", {"KEY": chain.oracle_keys_hex[1]})
    found = [parse_proposal(data, "shared folder") for data in FolderExchange(shared, liar.address).read()]
    if len(found) != 1:
        raise DemoError("oracle 0 offers no proposal", where="demo", got=str(len(found)), wanted="one")
    (honest,) = found
    fields = decode_record(honest.record, "proposal")
    lie = replace(fields, reported_tcb=bytes([fields.reported_tcb[0] + 1]) + fields.reported_tcb[1:])
    record = encode_record(lie, policy_id=fields.policy_id, parents=fields.parents)
    digest = publication_digest(honest.chain_id, honest.registry, honest.epoch, record)
    proposal = Proposal(honest.chain_id, honest.registry, honest.epoch, record, liar.sign_digest(digest))
    FolderExchange(shared, liar.address).offer({record_id(fields): encode_proposal(proposal)})
