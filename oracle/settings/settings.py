"""The settings of the oracle. Each field's metadata is the only place that describes a setting.

The schema of the YAML file, the names of the environment (PROVENANCE_ and the name in upper case), the options of
`provenance watch` and the table in docs/operating.md are made from these fields.

A private key is never a setting. `key` names the place that holds the paying key; so do the older `key_variable` and
`keystore`. With `report_key`, `report_key_variable` or `report_keystore`, another key signs the reports.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields
from pathlib import Path
from types import MappingProxyType

from provenance_oracle.oracle.settings.kinds import ADDRESS, FLAG, PATH, text, texts, whole, whole_or, word
from provenance_oracle.oracle.settings.spec import Spec, about

VARIABLE_PREFIX = "PROVENANCE_"
_SECONDS = "SECONDS"
# The value of `confirmations` for the tag of the same name, by which a node names its newest final block.
FINALIZED = "finalized"


_PLACES, _CHAIN, _KEYS, _JUDGING, _SERVICE = "Places", "Chain", "Keys", "Judging", "Service"


@dataclass(frozen=True, repr=False)
class Settings:
    """The settings of `provenance watch`. docs/operating.md explains each.

    Numbers are whole. Times are in seconds, fees in gwei per unit of gas, `release_max_gb` in units of 10**9 bytes.
    """

    sources: tuple[str, ...] = field(
        metadata=about(
            _PLACES,
            texts("SOURCE"),
            "where releases appear: folders, `hf://ORG` or `hf://ORG/NAME`, `s3://BUCKET/PREFIX` or another fsspec "
            "URL, `oci://HOST/REPOSITORY`",
            replaces=("folder",),
        )
    )
    journal: str = field(
        metadata=about(
            _PLACES,
            text("FILE|URL"),
            "the state of every release: the path of an SQLite file, or a `postgresql://` URL",
        )
    )
    rpc_urls: tuple[str, ...] = field(
        metadata=about(
            _CHAIN,
            texts("URL"),
            "JSON-RPC endpoints of the chain, best of different providers; nothing counts as final unless both of "
            "the first two say so",
            secret=True,
            option="--rpc",
            variable="PROVENANCE_RPC",
            replaces=("rpc_url", "rpc_url_second"),
        )
    )
    registry: str = field(
        metadata=about(_CHAIN, text("ADDRESS|FILE"), "the registry contract: its address, or its deployment file")
    )
    evidence: Path | None = field(
        default=None,
        metadata=about(
            _PLACES,
            PATH,
            "folder for verdicts and the evidence behind them; not set: `verdicts` beside the journal, or a table of "
            "PostgreSQL",
        ),
    )
    policy: str = field(
        default="baseline",
        metadata=about(
            _JUDGING,
            text("NAME|FILE"),
            "a shipped policy or a file; `--network` names one of its own beside its registry",
        ),
    )
    fetch: bool = field(
        default=False,
        metadata=about(_JUDGING, FLAG, "ask AMD for a current revocation list if a release has none"),
    )
    device: str = field(
        default="auto",
        metadata=about(
            _JUDGING,
            word("auto", "cpu", "cuda"),
            "where files are hashed: a GPU if there is one, `cpu`, or `cuda` and nothing else",
        ),
    )
    ray_address: str = field(
        default="",
        metadata=about(
            _JUDGING,
            ADDRESS,
            "head of a Ray cluster that hashes large files (docs/scaling.md); its token is in RAY_AUTH_TOKEN; not set: "
            "none",
        ),
    )
    judges: int = field(
        default=2,
        metadata=about(
            _JUDGING, whole(2, 256), "how many releases are judged at the same time; one judge is kept for small ones"
        ),
    )
    release_max_gb: int = field(
        default=4096,
        metadata=about(
            _JUDGING,
            whole(1, 16_000),
            "a larger release is refused (exit code 3) before a byte of it is read",
            unit="10**9 bytes",
        ),
    )
    release_deadline_seconds: int | None = field(
        default=None,
        metadata=about(
            _JUDGING,
            whole(1, 604_800, _SECONDS),
            "for the judgement of one release; not set: 600 s, and 1 s for every 50 MB of its files",
        ),
    )
    recordings_per_day_max: int = field(
        default=3,
        metadata=about(
            _JUDGING,
            whole(1, 1_000_000),
            "how often a publisher (by identity) may have the same model recorded within 24 hours; further releases of "
            "it wait",
            live=True,
        ),
    )
    internal_errors_max: int = field(
        default=5,
        metadata=about(
            _JUDGING, whole(1, 1000), "tries of a release after a bug of ours, before it is `stuck`", live=True
        ),
    )
    watch: str = field(
        default="auto",
        metadata=about(
            _PLACES,
            word("auto", "inotify", "poll", "scan-only"),
            "how to notice changes of folders early; network file systems give no events",
        ),
    )
    scan_seconds: int = field(
        default=30,
        metadata=about(_PLACES, whole(1, 86_400, _SECONDS), "time between full scans of a source", live=True),
    )
    releases_max: int = field(
        default=100_000,
        metadata=about(_PLACES, whole(1, 1_000_000), "releases that one scan of a source takes"),
    )
    hub_token_file: Path | None = field(
        default=None,
        metadata=about(
            _PLACES,
            PATH,
            "file with the token for `hf://` sources, readable by its owner only; without it `HF_TOKEN` counts",
        ),
    )
    key: str = field(
        default="",
        metadata=about(
            _KEYS,
            text("URI"),
            "the paying key: `keystore:PATH`, `pkcs11:...` (RFC 7512), `awskms:///ARN`, `gcpkms://...`, `rofl:KEY_ID`, "
            "or `env:NAME` for development",
        ),
    )
    keystore: Path | None = field(
        default=None,
        metadata=about(
            _KEYS, PATH, "instead of `key`: a keystore v3 file with the paying key, readable by its owner only"
        ),
    )
    password_file: Path | None = field(
        default=None,
        metadata=about(_KEYS, PATH, "the password of that keystore, readable by its owner only"),
    )
    key_variable: str = field(
        default="",
        metadata=about(
            _KEYS,
            text("NAME"),
            "instead of `key`: the environment variable that holds the paying key; refused beyond local chains unless "
            "`allow_development_key`",
        ),
    )
    report_key: str = field(
        default="",
        metadata=about(
            _KEYS,
            text("URI"),
            "a separate key that signs reports, named like `key`: it is scarce, and the paying key is hot and "
            "replaceable; not set: the paying key",
        ),
    )
    report_keystore: Path | None = field(
        default=None,
        metadata=about(_KEYS, PATH, "instead of `report_key`: a keystore v3 file with the key that signs reports"),
    )
    report_password_file: Path | None = field(
        default=None,
        metadata=about(_KEYS, PATH, "the password of that keystore"),
    )
    report_key_variable: str = field(
        default="",
        metadata=about(
            _KEYS,
            text("NAME"),
            "instead of `report_key`: the environment variable that holds it; refused beyond local chains like "
            "`key_variable`",
        ),
    )
    allow_development_key: bool = field(
        default=False,
        metadata=about(_KEYS, FLAG, "let a key from the environment pay on a public chain"),
    )
    confirmations: int | str = field(
        default=12,
        metadata=about(
            _CHAIN,
            whole_or(0, 10_000, FINALIZED),
            "blocks on top before a record counts as final; 0 for chains with instant finality; `finalized` for the "
            "blocks that the chain itself calls so",
        ),
    )
    rpc_timeout_seconds: int = field(
        default=20,
        metadata=about(
            _CHAIN,
            whole(1, 600, _SECONDS),
            "for each request as a whole: name look-up, connection, TLS, head and body of the answer",
        ),
    )
    settle_seconds: int = field(
        default=2, metadata=about(_CHAIN, whole(1, 3600, _SECONDS), "pause between looks at the chain", live=True)
    )
    max_fee_gwei: int = field(
        default=100,
        metadata=about(
            _CHAIN,
            whole(1, 1_000_000),
            "above this cap the oracle waits; it never drops a record",
            unit="gwei",
            live=True,
        ),
    )
    priority_fee_max_gwei: int = field(
        default=5, metadata=about(_CHAIN, whole(0, 1_000_000), "the highest tip", unit="gwei", live=True)
    )
    gas_max: int = field(
        default=2_000_000,
        metadata=about(_CHAIN, whole(100_000, 1_000_000_000), "gas of one transaction at most", live=True),
    )
    bump_after_seconds: int = field(
        default=90, metadata=about(_CHAIN, whole(1, 86_400, _SECONDS), "when to offer a higher fee", live=True)
    )
    in_flight_max: int = field(
        default=16,
        metadata=about(
            _CHAIN,
            whole(1, 1024),
            "transactions of the paying key on their way at once; many nodes keep 16 of one account",
        ),
    )
    batch_max: int = field(
        default=128,
        metadata=about(
            _CHAIN, whole(1, 128), "records in one transaction at most; 1 sends each record by itself", live=True
        ),
    )
    batch_after_seconds: int = field(
        default=5,
        metadata=about(
            _CHAIN,
            whole(0, 86_400, _SECONDS),
            "how long a record waits for others to share its transaction, unless `batch_max` of them are there earlier",
            live=True,
        ),
    )
    batch_uri: str = field(
        default="",
        metadata=about(
            _CHAIN,
            text("URL"),
            "where users find the records of a batch; the root and `.json` are added. Not set: no batches, because "
            "nobody could prove that a record is in one",
        ),
    )
    head_age_max_seconds: int = field(
        default=900,
        metadata=about(
            _CHAIN,
            whole(1, 86_400, _SECONDS),
            "age of an endpoint's newest block from which it counts as lagging; local chains may rest",
        ),
    )
    peers: tuple[str, ...] = field(
        default=(),
        metadata=about(
            _SERVICE,
            texts("URL"),
            "the other oracles of a quorum, with which this one exchanges signatures: HTTP URLs or a shared folder",
        ),
    )
    retry_first_seconds: int = field(
        default=5,
        metadata=about(
            _SERVICE, whole(1, 3600, _SECONDS), "the first wait after a temporary failure; it doubles", live=True
        ),
    )
    retry_max_seconds: int = field(
        default=3600,
        metadata=about(_SERVICE, whole(1, 604_800, _SECONDS), "the longest wait after a temporary failure", live=True),
    )
    listen: str = field(
        default="",
        metadata=about(_SERVICE, ADDRESS, "address of the HTTP server for health, metrics and webhooks; not set: none"),
    )
    webhook_secret_file: Path | None = field(
        default=None,
        metadata=about(_SERVICE, PATH, "file with the secret of webhooks, readable by its owner only"),
    )
    log_format: str = field(
        default="text", metadata=about(_SERVICE, word("text", "json"), "lines for people, or one JSON object a line")
    )
    log_level: str = field(
        default="info",
        metadata=about(
            _SERVICE, word("debug", "info", "warning", "error"), "the least important lines that are logged", live=True
        ),
    )

    def __repr__(self) -> str:
        shown = (f"{name}={spec.shown(getattr(self, name))!r}" for name, spec in SPECS.items())
        return f"Settings({', '.join(shown)})"


# The description of each setting by its name.
SPECS: Mapping[str, Spec] = MappingProxyType({one.name: one.metadata["spec"] for one in fields(Settings)})
# The default of each setting that has one.
DEFAULTS: Mapping[str, object] = MappingProxyType(
    {one.name: one.default for one in fields(Settings) if one.default is not MISSING}
)


def variable_of(name: str) -> str:
    """Return the environment variable of a setting."""
    return VARIABLE_PREFIX + name.upper()


def option_of(name: str) -> str:
    """Return the option of a setting."""
    return SPECS[name].option or f"--{name.replace('_', '-')}"


def earlier_names() -> dict[str, str]:
    """Return the present name of each setting that had another name."""
    return {earlier: name for name, spec in SPECS.items() for earlier in spec.replaces}
