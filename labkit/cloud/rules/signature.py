"""AWS Signature Version 4, verified: by botocore's own signer, which must come to the same signature.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from botocore.auth import SIGV4_TIMESTAMP, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from labkit.cloud.exchange import Request
from labkit.cloud.rules import state
from labkit.cloud.rules.call import QUERY_NAMESPACES, Here, Refusal

ALGORITHM = "AWS4-HMAC-SHA256"
# Each part once, so that nobody behind this finds another credential in it.
AUTHORIZATION = re.compile(rf"{ALGORITHM} Credential=([^\s,=]+), ?SignedHeaders=([^\s,=]+), ?Signature=([0-9a-f]+)")
HASH = "x-amz-content-sha256"
CLOCK_SKEW_SECONDS = 300
LONGEST_PRESIGNED_SECONDS = 604_800


@dataclass(frozen=True)
class Claim:
    """What a request's signature says of itself. `lifetime` is in seconds, and presigned requests only have one."""

    access_key_id: str
    date: str
    region: str
    service: str
    timestamp: str
    signed_headers: tuple[str, ...]
    signature: str
    token: str
    lifetime: int | None = None


class UnreadableError(Exception):
    """A signature lacks a part, or says it in another form than AWS's."""


class _Verifier(SigV4Auth):  # type: ignore[misc]  # botocore comes without types
    """botocore's signer, told which headers were signed."""

    def __init__(self, credentials: Credentials, claim: Claim) -> None:
        super().__init__(credentials, claim.service, claim.region)
        self.claim = claim

    def headers_to_sign(self, request: Any) -> Any:
        headers = type(request.headers)()
        for name in self.claim.signed_headers:
            for value in request.headers.get_all(name, ()):
                headers[name] = value
        return headers

    def sign(self, request: Any) -> str:
        request.context["timestamp"] = self.claim.timestamp
        return str(self.signature(self.string_to_sign(request, self.canonical_request(request)), request))


def read(request: Request) -> Claim | None:
    """The signature of a request, from its Authorization header or its query string. None if it bears none.

    Raises:
        UnreadableError: it bears one that lacks a part.
    """
    query, authorization = dict(request.parameters), request.values("authorization")
    presigned = any(name in query for name in ("X-Amz-Signature", "X-Amz-Credential"))
    try:
        if presigned and authorization:
            raise ValueError("signed twice")
        if any(value.startswith("AWS4-") for value in authorization):
            return _from_header(request, authorization)
        return _from_query(query) if presigned else None
    except (KeyError, ValueError) as error:
        raise UnreadableError(str(error)) from error


def refuse(request: Request, claim: Claim, here: Here) -> Refusal | None:
    """Why a signed request is not believed, or None if it is.

    Args:
        request: the request as it came.
        claim: its signature, as `read` gave it.
        here: this cloud, whose credentials and sessions are the only ones that count.
    """
    secret = _secret(claim, here)
    if isinstance(secret, Refusal):
        return secret
    return _too_old(claim, here.now()) or _too_little_signed(request, claim) or _mismatch(request, claim, secret)


def _from_header(request: Request, values: list[str]) -> Claim:
    found = AUTHORIZATION.fullmatch(values[0])
    if not found or len(values) > 1:
        raise ValueError("Authorization")
    credential, signed_headers, signed = found.groups()
    return Claim(
        *_credential(credential),
        timestamp=request.header("x-amz-date") or "",
        signed_headers=tuple(signed_headers.split(";")),
        signature=signed,
        token=request.header("x-amz-security-token") or "",
    )


def _from_query(query: Mapping[str, str]) -> Claim:
    if query["X-Amz-Algorithm"] != ALGORITHM:
        raise ValueError(query["X-Amz-Algorithm"])
    return Claim(
        *_credential(query["X-Amz-Credential"]),
        timestamp=query["X-Amz-Date"],
        signed_headers=tuple(query["X-Amz-SignedHeaders"].split(";")),
        signature=query["X-Amz-Signature"],
        token=query.get("X-Amz-Security-Token", ""),
        lifetime=int(query["X-Amz-Expires"]),
    )


def _credential(text: str) -> tuple[str, str, str, str]:
    access_key_id, date, region, service, end = text.split("/")
    if end != "aws4_request":
        raise ValueError(end)
    return access_key_id, date, region, service


def _secret(claim: Claim, here: Here) -> str | Refusal:
    unknown = Refusal(
        "InvalidClientTokenId" if claim.service in QUERY_NAMESPACES else "UnrecognizedClientException",
        "The security token included in the request is invalid.",
        403,
    )
    if claim.access_key_id == here.access_key_id:
        return unknown if claim.token else here.secret_access_key
    session = state.session(claim.access_key_id)
    if session is None or not hmac.compare_digest(session.token.encode(), claim.token.encode()):
        return unknown
    if session.expires is not None and session.expires <= here.now():
        code = "ExpiredToken" if claim.service in QUERY_NAMESPACES else "ExpiredTokenException"
        return Refusal(code, "The security token included in the request is expired.", 403)
    return session.secret_access_key


def _too_old(claim: Claim, now: float) -> Refusal | None:
    try:
        signed = datetime.strptime(claim.timestamp, SIGV4_TIMESTAMP).replace(tzinfo=UTC).timestamp()
    except ValueError:
        return _invalid(claim, "The date of the request is missing, or not in the form 20261122T210000Z.")
    if claim.timestamp[:8] != claim.date:
        return _invalid(claim, "Date in Credential scope does not match the date of the request.")
    lifetime = CLOCK_SKEW_SECONDS if claim.lifetime is None else claim.lifetime
    if not 0 <= lifetime <= LONGEST_PRESIGNED_SECONDS:
        return _invalid(claim, "X-Amz-Expires must be between 0 and 604800 seconds.")
    if signed + lifetime < now:
        return _invalid(claim, f"Signature expired: {claim.timestamp} is too long ago.")
    if signed - CLOCK_SKEW_SECONDS > now:
        return _invalid(claim, f"Signature not yet current: {claim.timestamp} is still to come.")
    return None


def _too_little_signed(request: Request, claim: Claim) -> Refusal | None:
    names, signed = {name for name, _ in request.headers}, set(claim.signed_headers)
    unsigned = {name for name in names if name == "host" or name.startswith("x-amz-")} - signed
    if unsigned:
        return _invalid(claim, f"The signature leaves out a header that it must cover: {min(unsigned)}.")
    return None if signed <= names else _invalid(claim, "The signature names a header that did not come.")


def _mismatch(request: Request, claim: Claim, secret: str) -> Refusal | None:
    digest = hashlib.sha256(request.body).hexdigest()
    if any(value != digest for value in request.values(HASH)):
        return _invalid(claim, "The hash of the body is not that of the body which came.")
    if hmac.compare_digest(_sign(request, claim, secret, digest).encode(), claim.signature.encode()):
        return None
    return _invalid(
        claim,
        "The request signature we calculated does not match the signature you provided. "
        "Check your AWS Secret Access Key and signing method.",
    )


def _sign(request: Request, claim: Claim, secret: str, digest: str) -> str:
    query = request.query
    if claim.lifetime is not None:
        query = "&".join(part for part in query.split("&") if not part.startswith("X-Amz-Signature="))
    url = f"http://{request.header('host')}{request.raw_path}" + (f"?{query}" if query else "")
    made = AWSRequest(method=request.method, url=url)
    for name, value in request.headers:
        made.headers.add_header(name, value)
    if HASH not in made.headers:  # botocore takes it for the hash of the body, and signs it only if it was signed
        made.headers[HASH] = digest
    return _Verifier(Credentials(claim.access_key_id, secret), claim).sign(made)


def _invalid(claim: Claim, message: str) -> Refusal:
    code = "SignatureDoesNotMatch" if claim.service in QUERY_NAMESPACES else "InvalidSignatureException"
    return Refusal(code, message, 403)


def signed_again(request: Request, claim: Claim, here: Here) -> Request:
    """A request whose body a rule has changed, with the signature that its new body needs."""
    secret = _secret(claim, here)
    if isinstance(secret, Refusal) or claim.lifetime is not None:
        return request
    digest = hashlib.sha256(request.body).hexdigest()
    request = _with_header(request, HASH, digest)
    signature = _sign(request, claim, secret, digest)
    authorization = request.header("authorization") or ""
    return _with_header(request, "authorization", authorization.replace(claim.signature, signature))


def _with_header(request: Request, name: str, value: str) -> Request:
    """The request with another value of a header, if it has that header."""
    return replace(request, headers=tuple((key, value if key == name else old) for key, old in request.headers))
