#!/usr/bin/env python3
"""Adapter for the conformance suite of OpenSSF model signing: its command line, answered by `provenance signature`.

    pytest test/ --entrypoint=.../tests/support/conformance_adapter.py        in a checkout of the suite

`verify-model` runs `provenance signature`. `sign-model` signs a plain folder, which no command of ours does, with the
same functions as `provenance pack`. The suite looks at exit codes only. Its protocol is
`docs/conformance_adapter_cli_protocol.md` in https://github.com/sampras343/model-signing-conformance.
"""

from __future__ import annotations

import argparse
import base64
import json
import re
import sys
import tempfile
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).parents[2]
# The format leaves these out unless a signer wants them; see specification v1.0, section 6.2.
GIT_PATHS = (".git", ".gitattributes", ".github", ".gitignore")


def main() -> None:
    """Answer one command line of the suite."""
    sys.path[:0] = [str(ROOT / "src")]
    args = _arguments(sys.argv[1:])
    if args.command == "sign-model":
        sys.exit(_sign(args))
    from provenance_oracle.oracle.cli.main import main as provenance

    with tempfile.TemporaryDirectory() as folder:
        provenance(_signature_command(args, Path(folder)))


def _arguments(words: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    commands = parser.add_subparsers(dest="command", required=True)
    sign, verify = commands.add_parser("sign-model"), commands.add_parser("verify-model")
    for command in (sign, verify):
        command.add_argument("--method", required=True, choices=["key", "certificate", "sigstore"])
        command.add_argument("--model-path", required=True, type=Path)
        command.add_argument("--cert-chain", action="append", default=[], type=Path)
        command.add_argument("--ignore-paths", action="append", default=[], type=Path)
        command.add_argument("--use-staging", action="store_true")
    for option in ("--output-bundle", "--private-key", "--signing-cert"):
        sign.add_argument(option, type=Path)
    sign.add_argument("--identity-token")
    for option in ("--bundle", "--public-key"):
        verify.add_argument(option, type=Path)
    verify.add_argument("--ignore-unsigned-files", action="store_true")
    for option in ("--identity", "--identity-provider"):
        verify.add_argument(option)
    return parser.parse_args(words)


def _signature_command(args: argparse.Namespace, folder: Path) -> list[str]:
    """Return the words of `provenance signature` for `verify-model`."""
    words = ["signature", str(args.model_path), "--signature", str(args.bundle), "--allow-old"]
    if args.method == "key":
        words += ["--publisher-key", str(args.public_key)]
    elif args.method == "certificate":
        authorities = folder / "ca.pem"
        authorities.write_bytes(b"".join(path.read_bytes() for path in args.cert_chain))
        words += ["--publisher-ca", str(authorities)]
    else:
        kind = "email" if "@" in args.identity and "://" not in args.identity else "uri"
        words += ["--identity", f"sigstore {args.identity_provider} {kind}:{args.identity}"]
    return words + [word for path in _ignored(args) for word in ("--ignore", _pattern(path))]


def _ignored(args: argparse.Namespace) -> list[str]:
    """Return the paths in the model that the suite wants left out, as far as the bundle does not name them."""
    if not args.model_path.is_dir():
        return []
    named = _named(args.bundle)
    wanted = [str(path.relative_to(args.model_path)) for path in args.ignore_paths]
    wanted += [path for path in GIT_PATHS if not any(name.partition("/")[0] == path for name in named)]
    if args.ignore_unsigned_files:
        found = (path for path in args.model_path.rglob("*") if path.is_file())
        wanted += [str(path.relative_to(args.model_path)) for path in found]
    return [path for path in wanted if path not in named]


def _named(bundle: Path) -> set[str]:
    """Return the names in a bundle that nobody has verified; none if it is malformed, which the command reports."""
    with suppress(ValueError, KeyError, TypeError, OSError):
        payload = base64.b64decode(json.loads(bundle.read_bytes())["dsseEnvelope"]["payload"])
        return {resource["name"] for resource in json.loads(payload)["predicate"]["resources"]}
    return set()


def _pattern(path: str) -> str:
    """Return a pattern of .gitignore for one path."""
    return "/" + re.sub(r"[][*?\\]", "?", path)


def _sign(args: argparse.Namespace) -> int:
    """Sign a folder or a file that is no release."""
    from provenance_oracle.publisher.signing.keyless_signer import KeylessSigner
    from provenance_oracle.publisher.signing.keys import load_publisher_key
    from provenance_oracle.publisher.signing.signature import Publisher
    from provenance_oracle.publisher.signing.signers import CertificateSigner, KeySigner, PublisherSigner
    from provenance_oracle.verifier.errors import ProvenanceError
    from provenance_oracle.verifier.identity.certificates import parse_anchors

    try:
        signer: PublisherSigner = KeylessSigner(token=args.identity_token)
        if args.method != "sigstore":
            with tempfile.NamedTemporaryFile() as private:  # the suite's keys are readable by everybody
                private.write(args.private_key.read_bytes())
                private.flush()
                key = load_publisher_key(Path(private.name), lambda: b"")
            pems = b"".join({path.read_bytes(): 0 for path in (args.signing_cert, *args.cert_chain) if path})
            chain = parse_anchors(pems, "chain") if args.method == "certificate" else ()
            signer = CertificateSigner(key, chain) if chain else KeySigner(key)
        digests = _digests(args)
        signature = Publisher(None, signer, lambda: datetime.now(UTC)).sign(args.model_path.name, digests)
    except ProvenanceError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    args.output_bundle.write_bytes(signature.bundle)
    return 0


def _digests(args: argparse.Namespace) -> dict[str, bytes]:
    """Return the SHA-256 of every file of a model that is to be signed."""
    import hashlib

    from provenance_oracle.verifier.digest.files import digest_files, list_files
    from provenance_oracle.verifier.disk.globs import gitignore
    from provenance_oracle.verifier.errors import UsageError
    from provenance_oracle.verifier.strict.release_folder import Reading

    model: Path = args.model_path
    if not model.is_dir():
        return {model.name: hashlib.sha256(model.read_bytes()).digest()}
    left_out = [*GIT_PATHS, *(str(path.relative_to(model)) for path in args.ignore_paths)]
    if args.output_bundle.is_relative_to(model):
        left_out.append(str(args.output_bundle.relative_to(model)))
    reading = Reading(ignored=tuple(gitignore(_pattern(path)) for path in left_out))
    listing = list_files(model, reading=reading, whole=True)
    if not listing.files:
        raise UsageError("the model has no files", where=str(model))
    files = digest_files(model, listing, sha256_of=frozenset(file.path for file in listing.files))
    return {file.path: file.sha256 or b"" for file in files.files}


if __name__ == "__main__":
    main()
