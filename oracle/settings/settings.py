"""The settings of the oracle. Each field's metadata is the only place that describes a setting.

The schema of the YAML file, the names of the environment (PROVENANCE_ and the name in upper case), the options of
`provenance watch` and the table in docs/operating.md are made from these fields.

A private key is never a setting. `key` names the place that holds the paying key; so do the older `key_variable` and
`keystore`. With `report_key`, `report_key_variable` or `report_keystore`, another key signs the reports.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from pathlib import Path

from provenance_oracle.oracle.settings.kinds import ADDRESS, FLAG, PATH, text, texts, whole, whole_or, word
from provenance_oracle.oracle.settings.spec import about, setting

_SECONDS = "SECONDS"
# The value of `confirmations` for the tag of the same name, by which a node names its newest final block.
FINALIZED = "finalized"
AUTO = "auto"

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
    evidence: Path | None = setting(
        None,
        _PLACES,
        PATH,
        "folder for verdicts and the evidence behind them; not set: `verdicts` beside the journal, or a table of "
        "PostgreSQL",
    )
    policy: str = setting(
        "baseline",
        _JUDGING,
        text("NAME|FILE"),
        "a shipped policy or a file; `--network` names one of its own beside its registry",
    )
    fetch: bool = setting(False, _JUDGING, FLAG, "ask AMD for a current revocation list if a release has none")
    device: str = setting(
        "auto",
        _JUDGING,
        word("auto", "cpu", "cuda"),
        "where files are hashed: a GPU if there is one, `cpu`, or `cuda` and nothing else",
    )
    ray_address: str = setting(
        "",
        _JUDGING,
        ADDRESS,
        "head of a Ray cluster that hashes large files (docs/scaling.md); its token is in RAY_AUTH_TOKEN; not set: "
        "none",
    )
    judges: int = setting(
        2, _JUDGING, whole(2, 256), "how many releases are judged at the same time; one judge is kept for small ones"
    )
    judge_processes: int | str = setting(
        AUTO,
        _JUDGING,
        whole_or(1, 64, AUTO),
        "processes that judge small releases of folders; auto: one for each core; 1: the oracle's own process does",
    )
    release_max_gb: int = setting(
        4096,
        _JUDGING,
        whole(1, 16_000),
        "a larger release is refused (exit code 3) before a byte of it is read",
        unit="10**9 bytes",
    )
    release_deadline_seconds: int | None = setting(
        None,
        _JUDGING,
        whole(1, 604_800, _SECONDS),
        "for the judgement of one release; not set: 600 s, and 1 s for every 50 MB of its files",
    )
    recordings_per_day_max: int = setting(
        3,
        _JUDGING,
        whole(1, 1_000_000),
        "how often a publisher (by identity) may have the same model recorded within 24 hours; further releases of "
        "it wait",
        live=True,
    )
    internal_errors_max: int = setting(
        5, _JUDGING, whole(1, 1000), "tries of a release after a bug of ours, before it is `stuck`", live=True
    )
    watch: str = setting(
        "auto",
        _PLACES,
        word("auto", "inotify", "poll", "scan-only"),
        "how to notice changes of folders early; network file systems give no events",
    )
    scan_seconds: int = setting(
        30, _PLACES, whole(1, 86_400, _SECONDS), "time between full scans of a source", live=True
    )
    releases_max: int = setting(100_000, _PLACES, whole(1, 1_000_000), "releases that one scan of a source takes")
    signed_namespace: str = setting(
        "",
        _PLACES,
        text("NAMESPACE"),
        "namespace under which folders that have only `model.sig` are recorded, if the policy takes such releases; "
        "without it they are no releases. On the hub the repository is the name",
    )
    publisher_keys: tuple[str, ...] = setting(
        (),
        _PLACES,
        texts("FILE"),
        "public keys of publishers (PEM), for releases that have only a signature by the method key",
    )
    hub_token_file: Path | None = setting(
        None,
        _PLACES,
        PATH,
        "file with the token for `hf://` sources, readable by its owner only; without it `HF_TOKEN` counts",
    )
    key: str = setting(
        "",
        _KEYS,
        text("URI"),
        "the paying key: `keystore:PATH`, `pkcs11:...` (RFC 7512), `awskms:///ARN`, `gcpkms://...`, `rofl:KEY_ID`, "
        "or `env:NAME` for development",
    )
    keystore: Path | None = setting(
        None, _KEYS, PATH, "instead of `key`: a keystore v3 file with the paying key, readable by its owner only"
    )
    password_file: Path | None = setting(None, _KEYS, PATH, "the password of that keystore, readable by its owner only")
    key_variable: str = setting(
        "",
        _KEYS,
        text("NAME"),
        "instead of `key`: the environment variable that holds the paying key; refused beyond local chains unless "
        "`allow_development_key`",
    )
    report_key: str = setting(
        "",
        _KEYS,
        text("URI"),
        "a separate key that signs reports, named like `key`: it is scarce, and the paying key is hot and "
        "replaceable; not set: the paying key",
    )
    report_keystore: Path | None = setting(
        None, _KEYS, PATH, "instead of `report_key`: a keystore v3 file with the key that signs reports"
    )
    report_password_file: Path | None = setting(None, _KEYS, PATH, "the password of that keystore")
    report_key_variable: str = setting(
        "",
        _KEYS,
        text("NAME"),
        "instead of `report_key`: the environment variable that holds it; refused beyond local chains like "
        "`key_variable`",
    )
    allow_development_key: bool = setting(False, _KEYS, FLAG, "let a key from the environment pay on a public chain")
    confirmations: int | str = setting(
        12,
        _CHAIN,
        whole_or(0, 10_000, FINALIZED),
        "blocks on top before a record counts as final; 0 for chains with instant finality; `finalized` for the "
        "blocks that the chain itself calls so",
    )
    rpc_timeout_seconds: int = setting(
        20,
        _CHAIN,
        whole(1, 600, _SECONDS),
        "for each request as a whole: name look-up, connection, TLS, head and body of the answer",
    )
    settle_seconds: int = setting(2, _CHAIN, whole(1, 3600, _SECONDS), "pause between looks at the chain", live=True)
    max_fee_gwei: int = setting(
        100,
        _CHAIN,
        whole(1, 1_000_000),
        "above this cap the oracle waits; it never drops a record",
        unit="gwei",
        live=True,
    )
    priority_fee_max_gwei: int = setting(5, _CHAIN, whole(0, 1_000_000), "the highest tip", unit="gwei", live=True)
    gas_max: int = setting(
        2_000_000, _CHAIN, whole(100_000, 1_000_000_000), "gas of one transaction at most", live=True
    )
    bump_after_seconds: int = setting(90, _CHAIN, whole(1, 86_400, _SECONDS), "when to offer a higher fee", live=True)
    in_flight_max: int = setting(
        16,
        _CHAIN,
        whole(1, 1024),
        "transactions of the paying key on their way at once; many nodes keep 16 of one account",
    )
    batch_max: int = setting(
        128, _CHAIN, whole(1, 128), "records in one transaction at most; 1 sends each record by itself", live=True
    )
    batch_after_seconds: int = setting(
        5,
        _CHAIN,
        whole(0, 86_400, _SECONDS),
        "how long a record waits for others to share its transaction, unless `batch_max` of them are there earlier",
        live=True,
    )
    batch_uri: str = setting(
        "",
        _CHAIN,
        text("URL"),
        "where users find the records of a batch; the root and `.json` are added. Not set: no batches, because "
        "nobody could prove that a record is in one. All oracles of a quorum name the same place",
    )
    prove: str = setting(
        "never",
        _CHAIN,
        word("never", "graded", "always"),
        "which releases are also proven on chain once their record is final, by AMD's signature: those with a grade "
        "above 0, or all with SEV-SNP evidence; `registry` has to be a deployment file with `hardware_proofs`",
    )
    prove_fee_max_gwei: int = setting(
        100_000_000,
        _CHAIN,
        whole(1, 10**15),
        "what one whole proof may cost; above this cap the proof waits, and records go on",
        unit="gwei",
        live=True,
    )
    head_age_max_seconds: int = setting(
        900,
        _CHAIN,
        whole(1, 86_400, _SECONDS),
        "age of an endpoint's newest block from which it counts as lagging; local chains may rest",
    )
    peers: tuple[str, ...] = setting(
        (),
        _SERVICE,
        texts("URL"),
        "the other oracles of a quorum, with which this one exchanges signatures: HTTP URLs or a shared folder",
    )
    retry_first_seconds: int = setting(
        5, _SERVICE, whole(1, 3600, _SECONDS), "the first wait after a temporary failure; it doubles", live=True
    )
    retry_max_seconds: int = setting(
        3600, _SERVICE, whole(1, 604_800, _SECONDS), "the longest wait after a temporary failure", live=True
    )
    listen: str = setting(
        "", _SERVICE, ADDRESS, "address of the HTTP server for health, metrics and webhooks; not set: none"
    )
    webhook_secret_file: Path | None = setting(
        None, _SERVICE, PATH, "file with the secret of webhooks, readable by its owner only"
    )
    index: str = setting(
        "",
        _SERVICE,
        text("FILE|URL"),
        "database of an index that the oracle keeps of the registry, to serve the REST API and the explorer's page at "
        "`listen` (docs/api.md): an SQLite file, or a `postgresql://` URL; not set: neither",
    )
    page_rpc: tuple[str, ...] = setting(
        (),
        _SERVICE,
        texts("URL"),
        "the node that the explorer's page asks from the reader's browser; of a second one every answer is compared; "
        "not set: none",
    )
    requests_per_second_max: int = setting(
        20,
        _SERVICE,
        whole(0, 100_000),
        "requests of the REST API that one address may send in a second, in the long run; 0 for no limit",
    )
    proxies: tuple[str, ...] = setting(
        (),
        _SERVICE,
        texts("ADDRESS"),
        "IP addresses of proxies before the HTTP server, whose headers name the client",
    )
    log_format: str = setting("text", _SERVICE, word("text", "json"), "lines for people, or one JSON object a line")
    log_level: str = setting(
        "info",
        _SERVICE,
        word("debug", "info", "warning", "error"),
        "the least important lines that are logged",
        live=True,
    )

    def __repr__(self) -> str:
        shown = (f"{one.name}={one.metadata['spec'].shown(getattr(self, one.name))!r}" for one in fields(self))
        return f"Settings({', '.join(shown)})"
