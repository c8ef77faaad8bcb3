"""Keys as OpenSSH writes them."""

from cryptography.hazmat.primitives import serialization as formats
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes


def private_text(key: PrivateKeyTypes) -> str:
    none = formats.NoEncryption()
    return key.private_bytes(formats.Encoding.PEM, formats.PrivateFormat.OpenSSH, none).decode()


def public_line(key: PrivateKeyTypes) -> str:
    public = key.public_key()
    return public.public_bytes(formats.Encoding.OpenSSH, formats.PublicFormat.OpenSSH).decode()
