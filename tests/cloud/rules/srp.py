"""A sign-in by SRP as a client does it: RFC 5054, with the key and the message that Cognito's SDKs use."""

from __future__ import annotations

import base64
import datetime
import hashlib
import hmac
import secrets
from typing import Any

# RFC 3526, section 4: the group of 3072 bits.
N = int(
    "FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74020BBEA63B139B22514A08798E3404DD"
    "EF9519B3CD3A431B302B0A6DF25F14374FE1356D6D51C245E485B576625E7EC6F44C42E9A637ED6B0BFF5CB6F406B7ED"
    "EE386BFB5A899FA5AE9F24117C4B1FE649286651ECE45B3DC2007CB8A163BF0598DA48361C55D39A69163FA8FD24CF5F"
    "83655D23DCA3AD961C62F356208552BB9ED529077096966D670C354E4ABC9804F1746C08CA18217C32905E462E36CE3B"
    "E39E772C180E86039B2783A2EC07A28FB5C55DF06F4C52C9DE2BCBF6955817183995497CEA956AE515D2261898FA0510"
    "15728E5A8AAAC42DAD33170D04507A33A85521ABDF1CBA64ECFB850458DBEF0A8AEA71575D060C7DB3970F85A6E1E4C7"
    "ABF5AE8CDB0933D71E8C94E04A25619DCEE3D2261AD2EE6BF12FFA06D98A0864D87602733EC86A64521F2B18177B200C"
    "BBE117577A615D6C770988C0BAD946E208E24FA074E5AB3143DB5BFCE0FD108E4B82D120A93AD2CAFFFFFFFFFFFFFFFF",
    16,
)
G = 2


def _padded(number: int) -> bytes:
    digits = f"{number:x}"
    digits = digits if len(digits) % 2 == 0 else "0" + digits
    return bytes.fromhex("00" + digits if digits[0] in "89abcdef" else digits)


def _hashed(*parts: bytes) -> int:
    return int(hashlib.sha256(b"".join(parts)).hexdigest(), 16)


class Srp:
    """One sign-in of one user."""

    def __init__(self, pool_id: str, password: str) -> None:
        self.pool_name, self.password = pool_id.partition("_")[2], password
        self.secret = secrets.randbelow(N)
        self.value = pow(G, self.secret, N)

    def parameters(self, name: str) -> dict[str, str]:
        """What begins the sign-in."""
        return {"USERNAME": name, "SRP_A": f"{self.value:x}"}

    def proof(self, challenge: dict[str, str]) -> dict[str, Any]:
        """The answer to PASSWORD_VERIFIER."""
        user, block = challenge["USER_ID_FOR_SRP"], challenge["SECRET_BLOCK"]
        salt, theirs = int(challenge["SALT"], 16), int(challenge["SRP_B"], 16)
        identity = hashlib.sha256(f"{self.pool_name}{user}:{self.password}".encode()).digest()
        x, u = _hashed(_padded(salt), identity), _hashed(_padded(self.value), _padded(theirs))
        k = _hashed(_padded(N), _padded(G))
        shared = pow(theirs - k * pow(G, x, N), self.secret + u * x, N)
        key = hmac.new(_padded(u), _padded(shared), hashlib.sha256).digest()
        key = hmac.new(key, b"Caldera Derived Key\x01", hashlib.sha256).digest()[:16]
        now = datetime.datetime.now(datetime.UTC)
        then = f"{now:%a %b} {now.day} {now:%H:%M:%S} UTC {now.year}"
        message = f"{self.pool_name}{user}".encode() + base64.b64decode(block) + then.encode()
        return {
            "USERNAME": user,
            "TIMESTAMP": then,
            "PASSWORD_CLAIM_SECRET_BLOCK": block,
            "PASSWORD_CLAIM_SIGNATURE": base64.b64encode(hmac.new(key, message, hashlib.sha256).digest()).decode(),
        }
