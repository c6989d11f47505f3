"""A fake AMD: its own root for each product line, and everything that AMD would sign with it.

Its private keys ship with this package, and anyone can use them to forge any report under this root. So only the policy
`demo`, or an option with `unsafe` in its name, accepts it.
"""

from __future__ import annotations

import hashlib
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from importlib import resources
from typing import Any, NamedTuple

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_private_key

import provenance_oracle.publisher.simulator.forms as forms
from provenance_oracle.publisher.simulator.certificates import CertificateTemplate
from provenance_oracle.publisher.simulator.forms import CaRole
from provenance_oracle.verifier.snp.products import ProductLine, RootKind, TrustedRoot
from provenance_oracle.verifier.snp.report import SigningKey
from provenance_oracle.verifier.snp.tcb import Tcb

_RSA_BITS = 4096
_PUBLIC_EXPONENT = 65537
_CRL_ISSUED_BEFORE = timedelta(days=1)
_CRL_LASTS = timedelta(days=365)


class Vek(NamedTuple):
    """A VCEK or VLEK: the certificate in DER, and the private key that signs reports."""

    certificate: bytes
    key: ec.EllipticCurvePrivateKey


@dataclass(frozen=True)
class Authority:
    """An ARK, ASK or ASVK. `certificate` is DER; `FakeAmd.reissue` signs another one for the same key."""

    role: CaRole
    template: CertificateTemplate
    certificate: bytes
    key: rsa.RSAPrivateKey


@dataclass(frozen=True)
class FakeAmd:
    """The certificate authorities of one product line."""

    line: ProductLine
    authorities: Mapping[CaRole, Authority]

    @classmethod
    def load(cls, line: ProductLine) -> FakeAmd:
        """Return the authorities that ship with this package, with the same bytes every time (see pki/README.md)."""
        folder = resources.files("provenance_oracle.publisher.simulator") / "pki" / line.lower()
        keys = {role: _load_key((folder / f"{role}.key.der").read_bytes()) for role in CaRole}
        certificates = {role: (folder / f"{role}.der").read_bytes() for role in CaRole}
        return cls(line, {role: _authority(line, role, keys, certificates[role]) for role in CaRole})

    @classmethod
    def generate(cls, line: ProductLine) -> FakeAmd:
        """Return authorities with three new RSA-4096 keys, so another root. This takes seconds."""
        return cls.from_keys(line, {role: rsa.generate_private_key(_PUBLIC_EXPONENT, _RSA_BITS) for role in CaRole})

    @classmethod
    def from_keys(cls, line: ProductLine, keys: Mapping[CaRole, rsa.RSAPrivateKey]) -> FakeAmd:
        """Return authorities with new certificates for `keys`. Signatures are salted, so the bytes differ each time."""
        return cls(line, {role: _authority(line, role, keys) for role in CaRole})

    def reissue(self, role: CaRole, *, signed_by: CaRole = CaRole.ARK, **changes: Any) -> FakeAmd:
        """Return this AMD with a new certificate for one authority. `changes` replace fields of its template.

        `signed_by` chooses only the key. Issuer and authority key identifier stay unless `changes` replace them.
        """
        old = self.authorities[role]
        template = replace(old.template, **changes)
        new = replace(old, template=template, certificate=template.sign(self.authorities[signed_by].key))
        return replace(self, authorities={**self.authorities, role: new})

    def replaced(self, role: CaRole, key: rsa.RSAPrivateKey, *, serial: int, **changes: Any) -> FakeAmd:
        """Return this AMD with another ASK or ASVK: of the same name, with another key, as AMD replaced Genoa's ASK.

        `changes` replace fields of its template.
        """
        template = forms.authority_template(self.line, role, key.public_key(), self.ark.key.public_key())
        template = replace(template, serial=serial, **changes)
        new = Authority(role, template, template.sign(self.ark.key), key)
        return replace(self, authorities={**self.authorities, role: new})

    @property
    def ark(self) -> Authority:
        """The root authority."""
        return self.authorities[CaRole.ARK]

    def trusted_root(self, kind: RootKind = RootKind.SIMULATOR) -> TrustedRoot:
        """Return the root that a verifier must pin to accept evidence of this AMD."""
        return TrustedRoot(self.line, hashlib.sha256(self.ark.certificate).digest(), kind)

    def chain_pem(self, kind: SigningKey) -> bytes:
        """Return ASK or ASVK, then ARK, in PEM, as the key distribution service sends them."""
        intermediate = self.authorities[forms.ISSUERS[kind]].certificate
        return "".join(map(ssl.DER_cert_to_PEM_cert, (intermediate, self.ark.certificate))).encode()

    def vcek(
        self,
        hwid: bytes,
        tcb: Tcb,
        *,
        not_before: datetime,
        key: ec.EllipticCurvePrivateKey | None = None,
        signed_by: CaRole = CaRole.ASK,
        **changes: Any,
    ) -> Vek:
        """Return a chip's own key at one TCB, with a new certificate. Chip and TCB determine the key.

        Args:
            hwid: the id of the chip, 64 bytes, on Turin 8.
            not_before: the start of validity; an aware datetime.
            key: a key to use instead.
            signed_by: the authority whose name and key issue the certificate.
            changes: fields of CertificateTemplate to replace.
        """
        key = key or self._derive_key(hwid, tcb)
        template = forms.vcek_template(self.line, hwid, tcb, spki=_spki(key), not_before=not_before)
        return self._issue(template, key, signed_by, changes)

    def vlek(
        self,
        csp_id: str,
        tcb: Tcb,
        *,
        not_before: datetime,
        key: ec.EllipticCurvePrivateKey | None = None,
        signed_by: CaRole = CaRole.ASVK,
        **changes: Any,
    ) -> Vek:
        """Return a key loaded by the cloud provider `csp_id`, with its certificate. Other arguments as in `vcek`."""
        key = key or self._derive_key(csp_id.encode(), tcb)
        template = forms.vlek_template(self.line, csp_id, tcb, spki=_spki(key), not_before=not_before)
        return self._issue(template, key, signed_by, changes)

    def _issue(
        self, template: CertificateTemplate, key: ec.EllipticCurvePrivateKey, signed_by: CaRole, changes: dict[str, Any]
    ) -> Vek:
        issuer = self.authorities[signed_by]
        template = replace(template, **{"issuer": issuer.template.subject, **changes})
        return Vek(template.sign(issuer.key), key)

    def crl(
        self,
        this_update: datetime,
        next_update: datetime | None,
        revoked: tuple[int, ...] = (),
        *,
        number: int = 1,
        signed_by: CaRole = CaRole.ARK,
        **changes: Any,
    ) -> bytes:
        """Return a revocation list (DER) of the serial numbers `revoked`, signed by the ARK.

        `changes` replace fields of CrlTemplate.
        """
        template = forms.crl_template(
            self.line,
            self.ark.key.public_key(),
            this_update=this_update,
            next_update=next_update,
            revoked=revoked,
            number=number,
        )
        return replace(template, **changes).sign(self.authorities[signed_by].key)

    def current_crl(self, at: datetime, **deviations: Any) -> bytes:
        """Return an empty list (DER) issued a day before `at` and valid for a year. `deviations` as in `crl`."""
        this_update = at - _CRL_ISSUED_BEFORE
        return self.crl(**{"this_update": this_update, "next_update": this_update + _CRL_LASTS, **deviations})

    def _derive_key(self, owner: bytes, tcb: Tcb) -> ec.EllipticCurvePrivateKey:
        """Derive a key from its owner, the TCB and the root's public key. A real chip has a fused secret instead."""
        secret = f"{owner.hex()} {tcb}".encode() + _spki(self.ark.key)
        number = int.from_bytes(hashlib.sha384(secret).digest(), "big") >> 1  # 383 bits: less than the group's order
        return ec.derive_private_key(number, ec.SECP384R1())


def _spki(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _authority(
    line: ProductLine, role: CaRole, keys: Mapping[CaRole, rsa.RSAPrivateKey], certificate: bytes | None = None
) -> Authority:
    """Return an authority, with a new certificate unless `certificate` is given."""
    template = forms.authority_template(line, role, keys[role].public_key(), keys[CaRole.ARK].public_key())
    return Authority(role, template, certificate or template.sign(keys[CaRole.ARK]), keys[role])


def _load_key(data: bytes) -> rsa.RSAPrivateKey:
    # The files ship with the package; a check of the primes would cost half a second per key.
    key = load_der_private_key(data, None, unsafe_skip_rsa_key_validation=True)
    assert isinstance(key, rsa.RSAPrivateKey)
    return key
