"""The libraries under the verifier agree with hashlib, Wycheproof, Python's integers and the Python verifier."""

from __future__ import annotations

import hashlib
import json
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_der_public_key
from cryptography.x509 import Certificate, SubjectKeyIdentifier, load_der_x509_certificate
from eth_abi.abi import decode

from provenance_oracle.publisher.simulator import CaRole, FakeAmd
from provenance_oracle.verifier.errors import FormatError
from provenance_oracle.verifier.snp.der import UTC_TIME, Value, parse_asn1_time
from provenance_oracle.verifier.snp.products import ProductLine
from tests.support.evm import Answer, Evm, creation_code
from tests.support.p384_inputs import P384_ORDER
from tests.support.real_sets import anchor
from tests.support.snp_contracts import SnpVerifier, encode_call
from tests.support.solidity import Compile, Way, code_of

pytestmark = pytest.mark.chain

_PARTS = "hardhat/test/amd/Parts.sol"
_P = 2**384 - 2**128 - 2**96 + 2**32 - 1
_NO_TIME = 2**256 - 1
# SHA-256 of the code of the contracts that hold AMD's keys and the multiples of G: deployments are compared with these.
_KEYS_SHA256 = "bd15fe6ce987b23121119c7e59536ec8212abede31f2b9ed8c0e90883b58509c"
_TABLE_SHA256 = "d16ef5bf8324f0c0199082829b59278e575b6d6b606c23d95a1b7fd6b6875d51"


@pytest.fixture(scope="module", params=[True, False], ids=["IR", "legacy"])
def parts(evm: Evm, compile_one: Compile, request: pytest.FixtureRequest) -> str:
    return evm.deploy(code_of(compile_one(_PARTS, "Parts", Way(via_ir=request.param))))


def _ask(evm: Evm, address: str, signature: str, *arguments: object) -> Answer:
    answer = evm.call(address, encode_call(signature, *arguments))
    assert not answer.reverted, answer.data.hex()
    return answer


def test_digests_agree_with_hashlib(evm: Evm, parts: str) -> None:
    """Short and long messages in one queue, so that lanes change over; every length around the borders of blocks."""
    rng = random.Random("sha384")
    lengths = [*range(130), *range(235, 262), *(rng.randrange(1200) for _ in range(60))]
    rng.shuffle(lengths)
    for start in range(0, len(lengths), 24):
        messages = [rng.randbytes(length) for length in lengths[start : start + 24]]
        (digests,) = decode(("bytes",), _ask(evm, parts, "sha384(bytes[])", messages).data)
        assert digests == b"".join(hashlib.sha384(message).digest() for message in messages)


def test_signatures_agree_with_wycheproof(evm: Evm, parts: str, vectors: Path) -> None:
    groups = json.loads((vectors / "wycheproof" / "rsa_pss_4096_sha384_mgf1_48_test.json").read_text())["testGroups"]
    cases = wrong = 0
    for group in groups:
        key = load_der_public_key(bytes.fromhex(group["publicKeyDer"]))
        assert isinstance(key, RSAPublicKey) and key.public_numbers().e == 65537
        put = encode_call("put(bytes)", key.public_numbers().n.to_bytes(512, "big"))
        keys = "0x" + evm.call(parts, put).data[12:].hex()
        assert evm.send(put, parts)["status"] == "0x1"
        calls = [
            encode_call("pss(address,bytes,bytes)", keys, bytes.fromhex(case["msg"]), bytes.fromhex(case["sig"]))
            for case in group["tests"]
        ]
        for case, answer in zip(group["tests"], evm.calls(parts, calls), strict=True):
            cases += 1
            wrong += answer.number != (case["result"] == "valid")
    assert (cases, wrong) == (141, 0)


def test_a_signature_of_a_key_that_is_not_there_is_none(evm: Evm, parts: str) -> None:
    for signature in (bytes(512), bytes(511) + b"\x01", b"\xff" * 512, bytes(511)):
        assert _ask(evm, parts, "pss(address,bytes,bytes)", "0x" + "11" * 20, b"", signature).number == 0


def test_numbers_agree_with_integers(evm: Evm, parts: str) -> None:
    rng = random.Random("scalars")
    corners = [0, 1, 2**128 - 1, 2**128, 2**256 - 1, 2**383, P384_ORDER - 1, P384_ORDER, 2**384 - 1]
    pairs = [(x, y) for x in corners for y in corners]
    pairs += [(rng.randrange(2**384), rng.randrange(P384_ORDER)) for _ in range(40)]
    asked = [(*_words(x), *_words(y)) for x, y in pairs]
    calls = [encode_call("productModN(uint256,uint256,uint256,uint256)", *words) for words in asked]
    for (x, y), answer in zip(pairs, evm.calls(parts, calls), strict=True):
        assert int.from_bytes(answer.data, "big") == x * y % P384_ORDER
    for modulus in (P384_ORDER, _P):
        for x in (1, 2, modulus - 1, rng.randrange(1, modulus)):
            answer = _ask(evm, parts, "inverse(uint256,uint256,uint256,uint256)", *_words(x), *_words(modulus))
            high, low = (int.from_bytes(answer.data[at : at + 32], "big") for at in (0, 32))
            assert (high << 128 | low) * x % modulus == 1


def test_digits_and_columns_add_up_to_the_scalar(evm: Evm, parts: str) -> None:
    rng = random.Random("digits")
    scalars = [0, 1, 2, 15, 16, 17, 31, 32, 2**256 - 1, 2**256, 2**255, P384_ORDER - 1, P384_ORDER - 2, 2**384 - 2**190]
    scalars += [rng.randrange(P384_ORDER) for _ in range(40)]
    for scalar in scalars:
        halves = (scalar >> 256, scalar & (2**256 - 1))
        (digits,) = decode(("bytes",), _ask(evm, parts, "digits(uint256,uint256)", *halves).data)
        signed = [(digit & 127) * (-1 if digit & 128 else 1) for digit in digits]
        assert sum(digit << at for at, digit in enumerate(signed)) == scalar
        assert all(digit == 0 or (digit % 2 and abs(digit) < 16) for digit in signed)
        (columns,) = decode(("uint256[49]",), _ask(evm, parts, "columns(uint256,uint256)", *halves).data)
        total = sum(_table_factor(point & 127) * (-1 if point & 128 else 1) << at for at, point in enumerate(columns))
        assert (total - scalar) % P384_ORDER == 0


def test_every_day_from_1950_to_2049_is_read_as_by_the_python_verifier(evm: Evm, parts: str) -> None:
    rng = random.Random("times")
    day = datetime(1950, 1, 1, tzinfo=UTC)
    moments = [day + timedelta(days=n, seconds=rng.randrange(86_400)) for n in range(0, 36_525, 3)]
    texts = [f"{moment:%y%m%d%H%M%S}Z" for moment in moments]
    # every other day or hour that two digits can name, and what is not digits
    texts += [f"{rng.randrange(100):02}{m:02}{d:02}000000Z" for m in range(14) for d in range(33)]
    texts += [
        f"000228{h:02}{m:02}{s:02}Z" for h, m, s in ((24, 0, 0), (23, 60, 0), (23, 59, 60), (23, 59, 59), (99, 99, 99))
    ]
    texts += [text[:at] + wrong + text[at + 1 :] for text in texts[:3] for at in range(13) for wrong in "/:\0z"]
    encoded = [bytes((UTC_TIME, 13)) + text.encode() for text in texts]
    encoded += [b"\x18\x0d" + encoded[0][2:], b"\x17\x0c" + encoded[0][2:]]
    got: list[int] = []
    for start in range(0, len(encoded), 1500):
        answer = _ask(evm, parts, "times(bytes[])", encoded[start : start + 1500])
        got += decode(("uint256[]",), answer.data)[0]
    assert got == [_seconds(one) for one in encoded]


def _seconds(encoded: bytes) -> int:
    value = Value(encoded[0], encoded[2:], encoded, ())
    if encoded[:2] != b"\x17\x0d":
        return _NO_TIME
    try:
        moment = parse_asn1_time(value, lambda *words: FormatError(words[0], got=words[1], wanted=words[2]))
    except FormatError:
        return _NO_TIME
    return max(0, int(moment.timestamp()))


def test_the_table_is_the_multiples_of_g(evm: Evm) -> None:
    p384 = evm.deploy(creation_code("P384"))
    table = evm.code("0x" + evm.call(p384, encode_call("basePoints()")).data[12:].hex())
    wanted = b""
    for index in range(128):
        point = ec.derive_private_key(_table_factor(index), ec.SECP384R1()).public_key().public_numbers()
        wanted += point.x.to_bytes(48, "big") + point.y.to_bytes(48, "big")
    assert table == wanted
    assert hashlib.sha256(table).hexdigest() == _TABLE_SHA256


def test_the_keys_are_those_of_the_certificates(evm: Evm, vectors: Path) -> None:
    authorities = [[anchor(vectors, f"{role}-{line}") for role in ("ARK", "SEV", "SEV-VLEK")] for line in ProductLine]
    keys = evm.code(SnpVerifier.deploy(evm).child("keys"))
    assert keys == _keys(authorities)
    assert hashlib.sha256(keys).hexdigest() == _KEYS_SHA256
    simulated = [[FakeAmd.load(line).authorities[role].certificate for role in CaRole] for line in ProductLine]
    assert evm.code(SnpVerifier.deploy(evm, "SimulatorVerifier").child("keys")) == _keys(simulated)


def _keys(lines: list[list[bytes]]) -> bytes:
    """Return the moduli of the authorities of each line, then the key identifiers of the roots, which come first."""
    parsed = [[load_der_x509_certificate(one) for one in authorities] for authorities in lines]
    roots = [authorities[0].extensions.get_extension_for_class(SubjectKeyIdentifier) for authorities in parsed]
    return b"".join(_modulus(one) for authorities in parsed for one in authorities) + b"".join(
        root.value.digest for root in roots
    )


def _modulus(certificate: Certificate) -> bytes:
    key = certificate.public_key()
    assert isinstance(key, RSAPublicKey) and key.public_numbers().e == 65537
    return key.public_numbers().n.to_bytes(512, "big")


def _table_factor(index: int) -> int:
    """Return by what G is multiplied in a point of P384Table."""
    return (1 << 343) + sum((1 if index >> i & 1 else -1) << 49 * i for i in range(7))


def _words(number: int) -> tuple[int, int]:
    return number >> 128, number & (2**128 - 1)
