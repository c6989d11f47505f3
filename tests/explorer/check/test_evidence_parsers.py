"""Reports, certificates, revocation lists and keys: the explorer accepts what Python accepts, field by field."""

from __future__ import annotations

import base64
import itertools
from collections.abc import Iterator
from dataclasses import replace

from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from provenance_oracle.publisher.simulator import FakeAmd, FakeGuest, der
from provenance_oracle.verifier.judgement.release import CHAIN_PATH
from provenance_oracle.verifier.snp.certificates import split_certificates
from provenance_oracle.verifier.snp.der import Value
from provenance_oracle.verifier.snp.products import ProductLine
from provenance_oracle.verifier.snp.report import REPORT_BYTES
from tests.explorer.check.cases import AT, Case, in_engine, in_python, simulated_cases
from tests.explorer.check.engines import NodeEngine
from tests.explorer.check.parsers import compare, value_of
from tests.verifier.snp import test_only_this_check_fails as cryptography_of_reports

_AMD = FakeAmd.load(ProductLine.GENOA)
_GUEST = FakeGuest.on(_AMD, at=AT)
_P384_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFC7634D81F4372DDF581A0DB248B0A77AECEC196ACCC52973
_ISSUER, _VALIDITY, _SUBJECT, _SPKI, _EXTENSIONS = ((0, number) for number in (3, 4, 5, 6, 7))
_OTHERS = (
    b"",
    der.null(),
    der.integer(1),
    der.sequence(),
    der.tlv(0x31),
    der.tlv(0xA0),
    der.tlv(0xA3),
    b"\x03\x01\x00",
)


def test_reports(node: NodeEngine) -> None:
    """Every byte of a report of every version, with one bit changed, and numbers at the ends of their ranges."""
    reports = [FakeGuest.on(_AMD, at=AT, version=version).report(bytes(64)) for version in (2, 3, 4, 5)]
    changed = [b"", reports[3][:-1], reports[3] + b"\0"]
    for report, at, mask in itertools.product(reports, range(REPORT_BYTES), (0x01, 0x80)):
        changed.append(_patched(report, at, bytes([report[at] ^ mask])))
    for value, at in itertools.product((0, 1, _P384_ORDER - 1, _P384_ORDER, 2**384 - 1), (0x2A0, 0x2E8)):
        changed.append(_patched(reports[0], at, value.to_bytes(48, "little")))
    changed += [_patched(reports[0], 0x48, key_info.to_bytes(4, "little")) for key_info in range(256)]
    for vmpl in (0, 3, 4, 2**32 - 2, 2**32 - 1):
        changed.append(_patched(reports[0], 0x30, vmpl.to_bytes(4, "little")))
    compare(node, "report", changed)


def _patched(data: bytes, at: int, new: bytes) -> bytes:
    return data[:at] + new + data[at + len(new) :]


def replaced(data: bytes, path: tuple[int, ...], new: bytes) -> bytes:
    """Return DER with the value at a path of positions replaced; every length around it is made right."""
    if not path:
        return new
    value = value_of(data)
    children = [child.encoding for child in value.children]
    children[path[0]] = replaced(children[path[0]], path[1:], new)
    return der.tlv(value.tag, *children)


def _at(data: bytes, path: tuple[int, ...]) -> Value:
    value = value_of(data)
    for position in path:
        value = value.children[position]
    return value


# --- certificates --------------------------------------------------------------------------------------------


def _certificates() -> Iterator[bytes]:
    """Yield certificates with one field in another form; no signature is right, and none is looked at."""
    good = _GUEST.vek().certificate
    yield from (good, good + b"\0", replaced(good, (2,), der.tlv(3, b"\x04" + b"\x10" * 512)))
    for path, new in itertools.product(((), (0,), *((0, number) for number in range(8)), (1,), (2,)), _OTHERS):
        yield replaced(good, path, new)
    for path in ((), (0,), _VALIDITY, _EXTENSIONS, (*_EXTENSIONS, 0)):
        value = _at(good, path)
        yield replaced(good, path, der.tlv(value.tag, value.content, der.null()))
        yield replaced(good, path, der.tlv(value.tag, *(child.encoding for child in value.children[:-1])))
    yield from (replaced(good, (0, 0), der.explicit(0, der.integer(version))) for version in range(4))
    yield from (replaced(good, (0, 1), der.integer(serial)) for serial in (0, 1, 2**160 - 1, 2**167 - 1, 2**167))
    yield from (replaced(good, _ISSUER, der.sequence(der.utf8_string("x" * size))) for size in (14_000, 17_000))
    yield from (replaced(good, _SPKI, spki) for spki in _spkis())
    vlek = replace(_GUEST, csp_id="CN=cloud.example").vek().certificate
    yield from (replaced(one, _SUBJECT, name) for one in (good, vlek) for name in _names())
    yield from _other_extensions(good)


def _names() -> Iterator[bytes]:
    oid, good = bytes.fromhex("0603550403"), der.utf8_string("SEV-VCEK")
    others = (der.printable_string("SEV-VCEK"), der.ia5_string("SEV-VCEK"), der.utf8_string("SEV-Genoa"))
    for texts in ((), (good,), (good, good), *((text,) for text in others), (der.utf8_string("SEV-VLEK"),)):
        yield der.sequence(*(der.set_of_one(der.sequence(oid, text)) for text in texts))
    yield der.sequence(der.set_of_one(der.sequence(oid, good, der.null())))
    yield der.sequence(der.set_of_one(der.null()))


_EXTENSION_CONTENTS = (
    *map(
        bytes.fromhex, ("", "020100", "020101", "0201ff", "020200ff", "02020100", "1600", "16011f", "16017f", "160180")
    ),
    *(der.ia5_string("Genoa"), der.utf8_string("Genoa"), der.ia5_string("x" * 256), der.ia5_string("x" * 257)),
    *(bytes(8), bytes(9), bytes(64)),
)


def _other_extensions(good: bytes) -> Iterator[bytes]:
    place = (*_EXTENSIONS, 0)
    entries = [child.encoding for child in _at(good, place).children]
    oid, value = (child.encoding for child in value_of(entries[0]).children)
    critical, uncritical = der.boolean(True), der.boolean(False)
    for parts in (
        *((oid, critical, value), (oid, uncritical, value), (oid, der.null(), value), (oid, value, value)),
        *((oid, critical, critical, value), (oid,), (), (der.null(), value), (oid, der.null())),
    ):
        yield replaced(good, (*place, 0), der.sequence(*parts))
    yield replaced(good, (*place, 0), der.tlv(0x31, oid, value))
    yield replaced(good, place, der.sequence(*entries, entries[0]))
    yield from (replaced(good, place, der.tlv(tag, *sorted(entries))) for tag in (0x30, 0x31, 0xA0))
    for position, entry in enumerate(entries):
        yield replaced(good, place, der.sequence(*entries[:position], *entries[position + 1 :]))
        name = value_of(entry).children[0].encoding
        for content in _EXTENSION_CONTENTS:
            yield replaced(good, (*place, position), der.sequence(name, der.octet_string(content)))


def _spkis() -> Iterator[bytes]:
    rsa, without_null = bytes.fromhex("300d06092a864886f70d0101010500"), bytes.fromhex("300b06092a864886f70d010101")
    modulus = (1 << 2047) + 1
    good = ((modulus, 65537), (modulus, 3), (modulus + 1, 3), (5, 3))
    for numbers in (*good, (modulus, 1), (modulus, 4), (3, 3), (modulus,), (modulus, 3, 3)):
        yield der.sequence(rsa, der.bit_string(der.sequence(*map(der.integer, numbers))))
    key = der.sequence(der.integer(modulus), der.integer(3))
    negative = der.sequence(der.tlv(2, b"\x80" + b"\1" * 255), der.integer(3))
    yield from (der.sequence(rsa, der.bit_string(other)) for other in (negative, key + b"\0", b"", der.null()))
    yield from (der.sequence(without_null, der.bit_string(key)), der.sequence(rsa, der.octet_string(key)))
    for curve in (ec.SECP256R1(), ec.SECP384R1(), ec.SECP521R1()):
        public = ec.derive_private_key(9, curve).public_key()
        spki = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        yield from (spki, _patched(spki, len(spki) - 1, bytes([spki[-1] ^ 1])))
        compressed = public.public_bytes(Encoding.X962, PublicFormat.CompressedPoint)
        yield from (replaced(spki, (1,), der.bit_string(point)) for point in (compressed, b"\0", b""))
    private = ed25519.Ed25519PrivateKey.from_private_bytes(bytes(32))
    yield private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def test_certificates(node: NodeEngine) -> None:
    compare(node, "certificate", _certificates())
    compare(node, "vek", _certificates())


def test_files_of_certificates(node: NodeEngine) -> None:
    one, pem = _GUEST.vek().certificate, _AMD.chain_pem(_GUEST.vek_kind)
    files = [
        b"",
        one,
        one * 2,
        one * 4,
        one * 5,
        one[:-1],
        one + b"\0",
        b"x" * 131_073,
        b"\x30\x82" + b"\xff" * 131_073,
    ]
    files += [b"\x30\x82", b"\x30\x82\0\0", b"\x30\x81\x80" + bytes(128), b"\x30\x83\0\0\0", b"\x31\x82\0\0"]
    files += [pem, pem * 2, pem * 3, pem + b"\n\n", b"\n" + pem, pem.rstrip(), pem.replace(b"\n", b"\r\n"), pem + b"x"]
    files += [pem.replace(b"CERTIFICATE", b"X509 CRL"), pem.replace(b"BEGIN CERT", b"BEGIN KERT", 1)]
    files += [pem.replace(b"\n", b"\r"), pem.replace(b"=", b"", 1), pem.replace(b"M", b" M", 1), pem[:200], pem + one]
    bodies = (b"", b"=", b"AAAA", b"AA==", b"AB==", b"AAA", b"A" * 64, b"A" * 65, b"A" * 68, b"====", b"AA=A")
    files += [b"-----BEGIN CERTIFICATE-----\n%b\n-----END CERTIFICATE-----\n" % body for body in bodies]
    compare(node, "certificates", files)


# --- lists and keys ------------------------------------------------------------------------------------------


def _lists() -> Iterator[bytes]:
    good = _GUEST.crl(revoked=(5, 131074))
    yield from (good, _GUEST.crl(), good + b"\0", _GUEST.crl(revoked=(5, 5)), _GUEST.crl(revoked=(2**160,)))
    yield from (_pem(good, b"X509 CRL"), _pem(good, b"X509 CRL") * 2, _pem(good, b"CERTIFICATE"))
    inside = ((0, 5, 0), (0, 5, 0, 0), (0, 5, 0, 1))
    paths = ((), (0,), *((0, number) for number in range(7)), (1,), (2,), *inside)
    for path, new in itertools.product(paths, (*_OTHERS, der.integer(0), der.time(AT))):
        yield replaced(good, path, new)
    entry = _at(good, (0, 5, 0)).content
    reason, value = bytes.fromhex("0603551d15"), der.octet_string(b"\x0a\x01\x01")
    plain, critical = der.sequence(reason, value), der.sequence(reason, der.boolean(True), value)
    for extensions in (der.sequence(plain), der.sequence(critical), der.sequence(), plain):
        yield replaced(good, (0, 5, 0), der.sequence(entry, extensions))
        yield replaced(good, (0, 5, 0), der.sequence(entry, extensions, extensions))
    place = (0, 6, 0)
    entries = [child.encoding for child in _at(good, place).children]
    delta, scope = (der.sequence(bytes.fromhex(oid), der.octet_string(b"")) for oid in ("0603551d1b", "0603551d1c"))
    for more in ([], [entries[0]], [plain], [critical], [delta], [scope]):
        yield replaced(good, place, der.sequence(*entries, *more))
    yield from (replaced(good, place, der.sequence(one)) for one in entries)
    for number in (der.integer(5), der.integer(2**160), der.integer(2**168), b"\x02\x01\xff", b"", der.null()):
        other = der.sequence(bytes.fromhex("0603551d14"), der.octet_string(number))
        yield replaced(good, place, der.sequence(*(other if b"\x55\x1d\x14" in one else one for one in entries)))
    yield replaced(good, (0, 5), der.sequence())
    for count in (16_000, 16_700):  # the parser of DER has a limit between
        yield replaced(good, (0, 5), der.sequence(*(der.sequence(der.integer(n), der.time(AT)) for n in range(count))))


def _pem(data: bytes, label: bytes) -> bytes:
    """Return DER in PEM, with lines of 64 characters."""
    text = base64.b64encode(data)
    lines = b"".join(text[at : at + 64] + b"\n" for at in range(0, len(text), 64))
    return b"-----BEGIN %b-----\n%b-----END %b-----\n" % (label, lines, label)


def test_revocation_lists(node: NodeEngine) -> None:
    compare(node, "list", _lists())


def test_keys(node: NodeEngine) -> None:
    keys = [one.case.files["provenance/cvm-key.pem"] for one in simulated_cases().values()]
    changed = [b"", *(_pem(spki, b"PUBLIC KEY") for spki in _spkis())]
    for key in keys:
        changed += [key + b"\n", key.rstrip(), key * 2, b"\n" + key, key + b"\n" * 17_000]
        changed += [key.replace(b"\n", b"\r\n"), key.replace(b"\n", b"\r\n", 1), key.replace(b"PUBLIC", b"PRIVATE")]
    compare(node, "key", [*keys, *changed])


# --- the cryptography of reports -----------------------------------------------------------------------------


def test_the_cryptography_of_reports(node: NodeEngine) -> None:
    """Evidence with one deviation each, signed properly. Only roots that are pinned count here."""
    one = next(iter(simulated_cases().values())).case
    rest = {path: data for path, data in one.files.items() if not path.startswith("provenance/snp/")}
    cases = []
    for deviation in (*cryptography_of_reports.GOOD, *cryptography_of_reports.CASES):
        evidence = deviation.evidence
        parts = {"report.bin": evidence.report, "vek.der": evidence.vek, "chain.pem": evidence.chain}
        parts |= {"ark.crl": evidence.crl} if evidence.crl else {}
        cases.append(Case(rest | {f"provenance/snp/{name}": data for name, data in parts.items()}, deviation.at))
    ask, ark = split_certificates(one.files[CHAIN_PATH], "chain")
    chains = ((ask,), (ark,), (ark, ask), (ask, ark, ask), (ask, ark, ark), (ask, ask), (ark, ark))
    cases += [one.with_file(CHAIN_PATH, b"".join(chain)) for chain in chains]
    assert in_engine(node, cases) == list(map(in_python, cases))
