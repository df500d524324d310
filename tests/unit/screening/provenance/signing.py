"""Signing content credentials with certificates made on the fly."""

import io
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import c2pa
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID, NameOID

TYPES = "http://cv.iptc.org/newscodes/digitalsourcetype/"
Encode = Callable[..., bytes]
_KEY_USES = (
    "digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
    "key_cert_sign", "crl_sign", "encipher_only", "decipher_only",
)  # fmt: skip


@dataclass(frozen=True)
class Signer:
    """Signs with a certificate under a root of its own."""

    chain: bytes
    key: bytes
    root: str

    def sign(self, source: bytes, media: str, *types: str, **how: Any) -> bytes:
        """`source` with a manifest of one `c2pa.created` action a source type; see `_sign` for `how`."""
        actions = [{"action": "c2pa.created", "digitalSourceType": TYPES + term} for term in types]
        return self._sign(source, media, actions, **how)

    def edit(self, parent: bytes, media: str) -> bytes:
        """A new manifest on top of the parent's, with an editing action."""
        builder = self._builder([])
        builder.set_intent(c2pa.C2paBuilderIntent.EDIT)
        return self._finish(builder, parent, media)

    def _sign(
        self, source: bytes, media: str, actions: list[dict[str, Any]], *, remote: str = "", extra: Any = ()
    ) -> bytes:
        builder = self._builder([{"label": "c2pa.actions", "data": {"actions": actions}}, *extra])
        if remote:
            builder.set_remote_url(remote)
            builder.set_no_embed()
        return self._finish(builder, source, media)

    def _builder(self, assertions: list[Any]) -> c2pa.Builder:
        context = c2pa.Context.from_dict(
            {
                "builder": {"thumbnail": {"enabled": False}},
                "verify": {"remote_manifest_fetch": False, "ocsp_fetch": False},
                "core": {"allowed_network_hosts": []},
            }
        )
        claim = {"claim_generator_info": [{"name": "tests", "version": "1"}], "assertions": assertions}
        return c2pa.Builder(claim, context=context)

    def _finish(self, builder: c2pa.Builder, source: bytes, media: str) -> bytes:
        signer = c2pa.Signer.from_info(c2pa.C2paSignerInfo(b"es256", self.chain, self.key, None))
        out = io.BytesIO()
        builder.sign(signer, media, io.BytesIO(source), out)
        return out.getvalue()


def new_signer(responder: str = "") -> Signer:
    """With keys made now. The certificate may name an address at which its issuer and its revocation can be asked."""
    root_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    root = _certificate("Test Root", "Test Root", root_key, root_key, authority=True)
    leaf = _certificate("Test Signer", "Test Root", key, root_key, authority=False, responder=responder)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    pem = root.public_bytes(serialization.Encoding.PEM)
    return Signer(leaf.public_bytes(serialization.Encoding.PEM) + pem, private, pem.decode())


def _certificate(
    subject: str,
    issuer: str,
    key: ec.EllipticCurvePrivateKey,
    by: ec.EllipticCurvePrivateKey,
    *,
    authority: bool,
    responder: str = "",
) -> x509.Certificate:
    uses = ("key_cert_sign", "crl_sign") if authority else ("digital_signature",)
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(_name(subject))
        .issuer_name(_name(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=30))
        .add_extension(x509.BasicConstraints(authority, None), critical=True)
        .add_extension(x509.KeyUsage(**{use: use in uses for use in _KEY_USES}), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(by.public_key()), critical=False)
    )
    if not authority:
        purpose = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION])
        builder = builder.add_extension(purpose, critical=False)
    if responder:
        at = x509.UniformResourceIdentifier(responder)
        ways = (AuthorityInformationAccessOID.OCSP, AuthorityInformationAccessOID.CA_ISSUERS)
        access = x509.AuthorityInformationAccess([x509.AccessDescription(way, at) for way in ways])
        lists = x509.CRLDistributionPoints([x509.DistributionPoint([at], None, None, None)])
        builder = builder.add_extension(access, critical=False).add_extension(lists, critical=False)
    return builder.sign(by, hashes.SHA256())


def _name(common: str) -> x509.Name:
    return x509.Name(
        [x509.NameAttribute(NameOID.COMMON_NAME, common), x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Tests")]
    )
