"""Sign tokens with a key that lives as long as the test run.

A registry trusts the self-signed certificate (its `rootcertbundle`) and finds the same one in the
header `x5c` of each token.
"""

import base64
import datetime
import json
from collections.abc import Mapping

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

LIFETIME = datetime.timedelta(days=1)


class Signer:
    """An RSA key and its certificate."""

    def __init__(self, name: str) -> None:
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self._certificate = _self_signed(self._key, name)

    @property
    def certificate(self) -> bytes:
        """The certificate as PEM."""
        return self._certificate.public_bytes(Encoding.PEM)

    def sign(self, claims: Mapping[str, object]) -> str:
        """`claims` as a JSON Web Token signed with RS256."""
        chain = [base64.b64encode(self._certificate.public_bytes(Encoding.DER)).decode()]
        header = {"typ": "JWT", "alg": "RS256", "x5c": chain}
        text = f"{_encode_json(header)}.{_encode_json(claims)}"
        signature = self._key.sign(text.encode(), padding.PKCS1v15(), hashes.SHA256())
        return f"{text}.{_encode(signature)}"


def _self_signed(key: rsa.RSAPrivateKey, name: str) -> x509.Certificate:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - LIFETIME)
        .not_valid_after(now + LIFETIME)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    )
    return builder.sign(key, hashes.SHA256())


def _encode_json(value: Mapping[str, object]) -> str:
    return _encode(json.dumps(value, separators=(",", ":")).encode())


def _encode(data: bytes) -> str:
    """Base64 for URLs without padding, as RFC 7515 wants it."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
