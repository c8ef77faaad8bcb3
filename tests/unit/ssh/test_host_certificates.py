"""A certificate speaks for a host only where its authority has signed it, for this key and name."""

import base64
import time

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    SSHCertificateBuilder,
    SSHCertificateType,
)
from fabric_predeploy.config.errors import HostError
from fabric_predeploy.remote._ssh import hostkeys

AUTHORITY, HOST, OTHER = (ed25519.Ed25519PrivateKey.generate() for _ in range(3))


def line(key):
    return key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()


def blob(text):
    return base64.b64decode(text.split()[1])


def certificate(key=HOST, authority=AUTHORITY, name=b"example.org"):
    now = int(time.time())
    builder = SSHCertificateBuilder().public_key(key.public_key()).serial(1)
    builder = builder.type(SSHCertificateType.HOST).key_id(b"it").valid_principals([name])
    builder = builder.valid_after(now - 60).valid_before(now + 3600)
    return blob(builder.sign(authority).public_bytes().decode())


def check(shown, key=HOST):
    hosts = hostkeys.known_in_text(f"@cert-authority example.org {line(AUTHORITY)}", "here")
    return hosts.check("example.org", 22, "ssh-ed25519", blob(line(key)), certificate=shown)


def flipped(shown, place):
    return shown[:place] + bytes([shown[place] ^ 1]) + shown[place + 1 :]


def test_one_that_the_authority_has_signed_speaks_for_the_host():
    assert check(certificate()) == "here line 1"


@pytest.mark.parametrize(
    "shown",
    [
        certificate(key=OTHER),  # it is public: whoever is in between can show it
        certificate(authority=OTHER),
        certificate(name=b"example.com"),
        flipped(certificate(), -1),  # in the signature
        certificate().replace(b"example.org", b"example.orh"),
        certificate()[:-1],
        b"",
    ],
    ids=["another's", "other authority", "other name", "forged", "changed", "cut off", "none"],
)
def test_no_other_does(shown):
    with pytest.raises(HostError) as refused:
        check(shown)
    assert refused.value.code == 3
