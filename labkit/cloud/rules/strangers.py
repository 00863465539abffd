"""Who may speak to this cloud: programs of this machine with its credentials, and anyone where AWS asks for none."""

from __future__ import annotations

import re
from dataclasses import dataclass

from labkit.cloud.exchange import Answer, Request
from labkit.cloud.protocol import HEALTH_PATH, PRIVATE
from labkit.cloud.rules import signature
from labkit.cloud.rules.call import JSON_TARGETS, SERVICES, Here, Refusal, refused, refused_in_xml
from labkit.cloud.rules.operations import SERVED, UNSIGNED_COGNITO
from labkit.cloud.rules.registry import gate
from labkit.cloud.rules.signature import Claim, UnreadableError

FETCH_STANDARD = "https://fetch.spec.whatwg.org/#origin-header"
SIGNING = "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv.html"

API_HOST = re.compile(r"([0-9a-z]+)\.execute-api\.localhost")
API_PATH = re.compile(r"/_aws/execute-api/([^/?]+)(/.*)?", re.DOTALL)

# https://www.w3.org/TR/fetch-metadata/#sec-fetch-dest-header
FRAMES = ("iframe", "frame", "embed", "object", "fencedframe")

# What a browser or a program asks for without credentials, as on AWS.
KEY_SETS = re.compile(r"/([\w-]+)/\.well-known/(jwks\.json|openid-configuration)")
HOSTED_PAGES = {
    ("GET", "/oauth2/authorize"),
    ("GET", "/oauth2/userInfo"),
    ("POST", "/oauth2/userInfo"),
    ("POST", "/oauth2/token"),
    ("POST", "/login"),
    ("POST", "/oauth2/login"),
    ("GET", "/logout"),
}


@dataclass(frozen=True)
class ToApi:
    """A request to an HTTP API: the API's id, and the path behind its host as it was sent."""

    api_id: str
    raw_path: str


@dataclass(frozen=True)
class ToPage:
    """A request that needs no credentials: this cloud's health, a key set, a page of the hosted sign-in."""


@dataclass(frozen=True)
class ToService:
    """A call of an AWS service or of PRIVATE, said to be signed with `claim`, or unsigned where AWS asks for none."""

    service: str
    region: str
    claim: Claim | None


Door = ToApi | ToPage | ToService


def admit(request: Request, here: Here) -> Answer | Door:
    """Let a request in, or refuse it, by all but its body. What a signature is worth, `refuse_unproved` tells.

    Args:
        request: any request that reached the port, its body not read yet.
        here: this cloud.
    """
    return (
        refuse_foreign_host(request, here)
        or refuse_foreign_origin(request, here)
        or refuse_cross_site_requests(request)
        or _public_door(request)
        or admit_signed_calls(request)
    )


@gate(
    "every path",
    aws="Every service has its own host name and certificate, so a page cannot reach one under a name of its own.",
    source="https://en.wikipedia.org/wiki/DNS_rebinding",
    confidence="ours",
    ministack="Answers under any host name.",
)
def refuse_foreign_host(request: Request, here: Here) -> Answer | None:
    """A request is answered under this machine's own names, with this cloud's port, and under no other (403).

    The names are localhost, 127.0.0.1, [::1] and API-ID.execute-api.localhost.
    """
    # CONNECT (RFC 9110, section 9.3.6) asks for a tunnel: what would be answered is no answer to it.
    if request.method == "CONNECT" or "#" in request.raw_path or not request.raw_path.startswith("/"):
        return _closed(400, "The request's target is not a path.")
    host, port = _host(request)
    known = host in ("localhost", "127.0.0.1", "[::1]") or API_HOST.fullmatch(host)
    if known and port == str(here.port):
        return None
    return _closed(403, "This cloud answers under localhost, 127.0.0.1 and [::1] only, with its port.")


@gate(
    "every path",
    aws="A page of another origin cannot sign a request, because it does not know the credentials. Cognito's calls for "
    "users need none, and answer every origin.",
    source=FETCH_STANDARD,
    confidence="ours",
    ministack="Answers every origin, and lets it read the answer: Access-Control-Allow-Origin is *.",
)
def refuse_foreign_origin(request: Request, here: Here) -> Answer | None:
    """A web page that does not come from this cloud is refused on every path (403), and told nothing else."""
    own = {f"http://{name}:{here.port}" for name in ("localhost", "127.0.0.1", "[::1]")}
    if all(origin in own for origin in request.values("origin")):
        return None
    return _closed(403, "This cloud does not answer web pages of another origin.")


@gate(
    "every path",
    aws="Nothing on AWS can be reached by a page without the credentials.",
    source="https://www.w3.org/TR/fetch-metadata/",
    confidence="ours",
    ministack="Answers images, frames and forms of any page.",
)
def refuse_cross_site_requests(request: Request) -> Answer | None:
    """What a page of another origin embeds (image, script) or sends is refused (403), and every frame, whosever page
    it is in; following a link is not."""
    destination = request.header("sec-fetch-dest")
    if destination not in FRAMES:
        if request.header("sec-fetch-site") in (None, "none", "same-origin"):
            return None
        if (request.method, request.header("sec-fetch-mode"), destination) == ("GET", "navigate", "document"):
            return None
    return _closed(403, "This cloud does not answer what a page of another origin embeds, and is shown in no frame.")


@gate(
    "every service",
    aws="A call is signed with Signature Version 4 by credentials that AWS knows, at most five minutes ago; temporary "
    "credentials bring their session token; calls for users without an account (sign-in and the like) are unsigned.",
    source=SIGNING,
    ministack="Takes unsigned calls as the account's own.",
)
def admit_signed_calls(request: Request) -> Answer | ToService:
    """Only Cognito's calls for users come unsigned. Another call without a signature is refused unread."""
    try:
        claim = signature.read(request)
    except UnreadableError:
        return _closed(403, "The signature of the request lacks a part.", "IncompleteSignatureException")
    if claim is None:
        return _unsigned(request)
    if claim.service not in (*SERVICES, *PRIVATE):
        return only_the_labs_services(request, claim.service)
    return ToService(claim.service, claim.region, claim)


@gate(
    "every service",
    aws="A signature counts if it is made by credentials that AWS knows, over this very request.",
    source=SIGNING,
    ministack="Never checks the signature of the configured key, and takes the keys `test` and any 12 digits as root.",
)
def refuse_unproved(request: Request, door: ToService, here: Here) -> Answer | None:
    """A call is believed if its signature is made with this cloud's own secret, or with that of a session which this
    cloud's STS issued and which has not expired."""
    refusal = signature.refuse(request, door.claim, here) if door.claim else None
    return refused(door.service, refusal) if refusal else None


@gate(
    "every other service",
    aws="Some 300 services.",
    source="https://docs.aws.amazon.com/general/latest/gr/aws-service-information.html",
    confidence="ours",
    ministack="Emulates many of them, and opens pages of its own that run, reset and configure it without credentials.",
)
def only_the_labs_services(request: Request, service: str) -> Answer:
    """This cloud has what the lab uses: STS, IAM, Lambda, Cognito user pools, HTTP APIs, CloudWatch Logs and tag
    look-up. Everything else, MiniStack's own pages included, is refused as not part of it."""
    refusal = Refusal("NotPartOfThisCloud", f"{service} is not part of the lab's embedded cloud.", 404)
    return refused_in_xml("https://aws.amazon.com/", refusal) if _is_form(request) else refused(service, refusal)


def _host(request: Request) -> tuple[str, str]:
    """The name that a request is sent to, in lower case, and the port."""
    name, _, port = (request.header("host") or "").lower().rpartition(":")
    return name, port


def _public_door(request: Request) -> ToApi | ToPage | None:
    if found := API_HOST.fullmatch(_host(request)[0]):
        return ToApi(found[1], request.raw_path)
    if found := API_PATH.fullmatch(request.raw_path):
        return ToApi(found[1], found[2] or "/")
    public = (
        request.raw_path.startswith(HEALTH_PATH)
        or (request.method, request.raw_path) in HOSTED_PAGES
        or (request.method == "GET" and KEY_SETS.fullmatch(request.raw_path))
    )
    return ToPage() if public else None


def _unsigned(request: Request) -> Answer | ToService:
    target, _, operation = (request.header("x-amz-target") or "").partition(".")
    to_cognito = (request.method, request.raw_path, target) == ("POST", "/", JSON_TARGETS["cognito-idp"])
    # What is not served is refused by its name, signed or not.
    if to_cognito and (operation in UNSIGNED_COGNITO or operation not in SERVED["cognito-idp"]):
        return ToService("cognito-idp", "", None)
    if _is_form(request):
        refusal = Refusal("MissingAuthenticationToken", "Request is missing Authentication Token", 403)
        return refused_in_xml("https://aws.amazon.com/", refusal)
    return _closed(403, "Missing Authentication Token", "MissingAuthenticationTokenException")


def _is_form(request: Request) -> bool:
    return (request.header("content-type") or "").startswith("application/x-www-form-urlencoded")


def _closed(status: int, message: str, code: str = "AccessDeniedException") -> Answer:
    return Answer.of_json(status, {"__type": code, "message": message}, ("x-amzn-errortype", code))
