"""The decision of a JWT authorizer of an API Gateway HTTP API, rule by rule, as data.

`decide` walks through RULES in their order and stops at the first that fails. AWS documents what is checked, and calls
the order a general workflow; each rule says where AWS is silent and what is done here then. Where AWS might refuse a
token, it is refused.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple
from urllib.parse import urlencode

from labkit.text.wording import distance, either, moment, named, quoted
from labkit.tokens import jws
from labkit.tokens.jws import Jwk, Jws, Keys, MalformedError

Verdict = Literal["passed", "failed", "not reached"]

GUIDE = "https://docs.aws.amazon.com/apigateway/latest/developerguide/"
AUTHORIZER_PAGE = f"{GUIDE}http-api-jwt-authorizer.html"
TROUBLESHOOTING_PAGE = f"{GUIDE}http-api-troubleshooting-jwt.html"
QUOTAS_PAGE = f"{GUIDE}http-api-quotas.html"

LARGEST_REQUEST = 10_240
HEADER_SOURCE = "$request.header."
QUERY_SOURCE = "$request.querystring."

# The error descriptions that AWS is known to send: the first is published, the second was seen in answers of AWS.
WRONG_AUDIENCE = "the token does not have a valid audience"
WRONG_PARTS = "token contains an invalid number of segments"

# The words of 401 are published and those of 403 too; nobody published the body of 431.
BODIES = {
    200: "",
    401: '{"message":"Unauthorized"}',
    403: '{"message":"Forbidden"}',
    431: '{"message":"Request Header Fields Too Large"}',
}


@dataclass(frozen=True)
class ApiRequest:
    """What the authorizer sees of an HTTP request.

    `headers` and `query` are names with decoded values, in the order they came, repeated where they were repeated.
    Header values are text of one byte a character (ISO-8859-1). `target` is the path and query as they were sent;
    without it, it is put together from `path` and `query`.
    """

    headers: tuple[tuple[str, str], ...]
    query: tuple[tuple[str, str], ...]
    method: str
    path: str
    target: str = ""

    @property
    def size(self) -> int:
        """The bytes that count against the quota: the request line and the values of the headers."""
        target = self.target or self.path + ("?" + urlencode(self.query, errors="replace") if self.query else "")
        return len(f"{self.method} {target} HTTP/1.1") + sum(len(value) for _, value in self.headers)


@dataclass(frozen=True)
class AuthorizerSettings:
    """The configuration of a JWT authorizer.

    `identity_source` is `$request.header.NAME` or `$request.querystring.NAME`.
    """

    identity_source: str
    issuer: str
    audience: tuple[str, ...]


@dataclass(frozen=True)
class Route:
    """A route with the scopes of which a token needs one. `key` is such as `GET /AdminUser`."""

    key: str
    scopes: tuple[str, ...]


@dataclass(frozen=True)
class RuleResult:
    """What one rule expected and what it found: short text that is safe to show, without any part of the signature.

    `remedy` says what to do; it is empty unless the rule failed.
    """

    name: str
    expected: str
    actual: str
    verdict: Verdict
    remedy: str
    source: str

    def to_dict(self) -> dict[str, str]:
        """The rule's line as `--json` prints it: the remedy is its `advice`."""
        return {
            "name": self.name,
            "expected": self.expected,
            "actual": self.actual,
            "verdict": self.verdict,
            "advice": self.remedy,
            "source": self.source,
        }


@dataclass(frozen=True)
class Decision:
    """The authorizer's answer: 200 (the integration is called), 401, 403 or 431.

    `claims` (verified) and `scopes` (all of the token's) are there on 200 only. `description` is the error description
    of the challenge, where AWS is known to send one.
    """

    status: int
    rules: tuple[RuleResult, ...]
    claims: dict[str, Any] | None
    scopes: tuple[str, ...]
    description: str = ""

    @property
    def failed(self) -> RuleResult | None:
        """The rule that refused the request."""
        return next((rule for rule in self.rules if rule.verdict == "failed"), None)

    @property
    def rule(self) -> str | None:
        """The name of the rule that refused the request."""
        return self.failed.name if self.failed else None

    @property
    def www_authenticate(self) -> str | None:
        """The challenge of a 401 (RFC 6750, section 3, though AWS puts blanks where the RFC has commas)."""
        if self.status != 401:  # noqa: PLR2004 - an HTTP status
            return None
        if self.rule == "identity-source":
            return "Bearer"
        description = f' error_description="{self.description}"' if self.description else ""
        return f'Bearer scope="" error="invalid_token"{description}'

    @property
    def body(self) -> str:
        """The answer's body, exactly; empty on 200, when the integration makes it."""
        return BODIES[self.status]

    def to_dict(self) -> dict[str, Any]:
        """The decision as `--json` prints it: `status`, `rule`, `rules` and `www_authenticate`."""
        return {
            "status": self.status,
            "rule": self.rule,
            "rules": [rule.to_dict() for rule in self.rules],
            "www_authenticate": self.www_authenticate,
        }


class _Finding(NamedTuple):
    """What a rule found. The remedy and the challenge's description are for when it did not pass."""

    passed: bool
    actual: str
    remedy: str = ""
    description: str = ""


_UNREAD = Jws({}, {}, b"", b"")


@dataclass
class _Case:
    """One request on its way through the rules, with what earlier rules read from it."""

    request: ApiRequest
    authorizer: AuthorizerSettings
    route: Route
    keys: tuple[Jwk, ...]
    now: float
    text: str = ""
    token: Jws = _UNREAD
    key: Jwk | None = None

    @property
    def claims(self) -> dict[str, Any]:
        return self.token.claims


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One rule of the authorizer.

    `statement` is the rule in a sentence, `status` the answer when it fails, `source` where it is written.
    `confidence` is "doc" where AWS documents the rule and "inferred" where not; `inferred` says what AWS leaves open
    and what is done here.
    """

    name: str
    statement: str
    status: int = 401
    source: str = AUTHORIZER_PAGE
    confidence: Literal["doc", "inferred"] = "doc"
    expected: Callable[[_Case], str]
    check: Callable[[_Case], _Finding]
    inferred: str = ""

    def result(self, case: _Case, finding: _Finding | None) -> RuleResult:
        """The rule's line in a decision; without a finding it was not reached."""
        passed, actual, remedy, _ = finding or _Finding(True, "")
        verdict: Verdict = "not reached" if finding is None else "passed" if passed else "failed"
        source = f"{self.source} ({self.confidence})"
        return RuleResult(self.name, self.expected(case), actual, verdict, "" if passed else remedy, source)


def decide(request: ApiRequest, authorizer: AuthorizerSettings, route: Route, keys: Keys, now: float) -> Decision:
    """Decide a request to a route that has a JWT authorizer. Whatever the request holds, nothing is raised.

    Args:
        request: the request as it came.
        authorizer: the authorizer of the route.
        route: the route that the request was matched to.
        keys: the issuer's published key set, or its keys.
        now: the authorizer's clock, in seconds since 1970.
    """
    case = _Case(request, authorizer, route, jws.signing_keys(keys), now)
    results: list[RuleResult] = []
    refusal: tuple[Rule, _Finding] | None = None
    for rule in RULES:
        finding = None if refusal else rule.check(case)
        results.append(rule.result(case, finding))
        if finding and not finding.passed:
            refusal = rule, finding
    if refusal:
        rule, finding = refusal
        return Decision(rule.status, tuple(results), None, (), finding.description)
    return Decision(200, tuple(results), case.claims, token_scopes(case.claims))


def token_scopes(claims: dict[str, Any]) -> tuple[str, ...]:
    """The scopes of a token, in its order: of `scp` if it is there, else of `scope`.

    `scope` is a string of scopes with blanks between them (RFC 8693, section 4.2); `scp` is that or a list of strings.
    Anything else holds no scope.
    """
    name = _scope_claim(claims)
    value = claims.get(name)
    if isinstance(value, str):
        return tuple(scope for scope in value.split(" ") if scope)
    if name == "scp" and isinstance(value, list):
        return tuple(scope for scope in value if isinstance(scope, str))
    return ()


# The rules' functions: what a rule finds, and what it expects where that takes more than a line.


def _check_size(case: _Case) -> _Finding:
    size = case.request.size
    remedy = "Send a smaller token (fewer groups, fewer claims) or fewer headers."
    return _Finding(size <= LARGEST_REQUEST, f"{size:,} bytes", remedy)


def _check_source(case: _Case) -> _Finding:
    values = _at_identity_source(case.request, case.authorizer.identity_source)
    if not values:
        return _Finding(False, "nothing there", f"Send the token in {_place(case.authorizer.identity_source)}.")
    if len(values) > 1:
        return _Finding(False, f"{len(values)} values", "Send the token once.")
    case.text = jws.bare(values[0])
    if not case.text:
        return _Finding(False, "an empty value", "Put the token there; in a shell, look whether its variable is set.")
    return _Finding(True, "a token" if case.text == values[0].strip(jws.BLANKS) else "a token, after Bearer")


def _check_shape(case: _Case) -> _Finding:
    try:
        case.token = jws.parse(case.text)
    except MalformedError as error:
        remedy = "Copy the whole ID token or access token again, on one line; a refresh token does not open an API."
        return _Finding(False, str(error), remedy, "" if case.text.count(".") == jws.PARTS - 1 else WRONG_PARTS)
    case.key = jws.find_key(case.keys, case.token.header.get("kid"))
    return _Finding(True, f"a signed token with {len(case.claims)} claims")


def _expect_algorithm(case: _Case) -> str:
    own = _own_algorithm(case)
    return f"alg of the key, {quoted(own)}" if own else f"alg of the RSA family: {', '.join(jws.RSA_ALGORITHMS)}"


def _check_algorithm(case: _Case) -> _Finding:
    algorithm = case.token.header.get("alg")
    fits = algorithm in jws.RSA_ALGORITHMS and _own_algorithm(case) in (None, algorithm)
    remedy = "Use a token as its issuer signed it: an HTTP API takes RSA signatures only, and the key decides which."
    return _Finding(fits, named(case.token.header, "alg"), remedy)


def _expect_key_id(case: _Case) -> str:
    published = [key["kid"] for key in case.keys if isinstance(key.get("kid"), str)]
    return f"kid {either(published)}" if published else "a key of the issuer, which publishes none"


def _check_key_id(case: _Case) -> _Finding:
    remedy = "Use a token of this authorizer's issuer, and sign in again if the issuer has changed its keys."
    return _Finding(case.key is not None, named(case.token.header, "kid"), remedy)


def _check_signature(case: _Case) -> _Finding:
    fits = case.key is not None and jws.is_signed_by(case.token, case.key)
    actual = "made with that key" if fits else "not made with that key, or not for this header and payload"
    return _Finding(fits, actual, "Use the token exactly as its issuer gave it: a changed character breaks it.")


def _check_issuer(case: _Case) -> _Finding:
    fits = case.claims.get("iss") == case.authorizer.issuer
    remedy = "Sign in at the authorizer's issuer, or correct the authorizer: the two must agree to the character."
    return _Finding(fits, named(case.claims, "iss"), remedy)


def _expect_audience(case: _Case) -> str:
    audience = case.authorizer.audience
    return f"aud, or client_id without an aud, {either(audience)}" if audience else "an audience, and there is none"


def _check_audience(case: _Case) -> _Finding:
    name = "aud" if "aud" in case.claims or "client_id" not in case.claims else "client_id"
    fits = any(audience in case.authorizer.audience for audience in _audiences(case.claims.get(name)))
    remedy = "Sign in through an app client of the authorizer's audience, or add this token's to the audience."
    return _Finding(fits, named(case.claims, name), remedy, WRONG_AUDIENCE)


def _check_expiry(case: _Case) -> _Finding:
    expiry = jws.numeric_date(case.claims.get("exp"))
    if expiry is None:
        remedy = "Use a token that says when it expires, as a number of seconds since 1970."
        return _Finding(False, named(case.claims, "exp"), remedy)
    return _Finding(expiry > case.now, _when(case, "exp", expiry), "Sign in again for a fresh token.")


def _check_scope(case: _Case) -> _Finding:
    fits = not case.route.scopes or not set(case.route.scopes).isdisjoint(token_scopes(case.claims))
    return _Finding(fits, named(case.claims, _scope_claim(case.claims)), _scope_remedy(case.claims))


# What several rules share.


def _at_identity_source(request: ApiRequest, source: str) -> list[str]:
    if source.startswith(HEADER_SOURCE):
        wanted = source.removeprefix(HEADER_SOURCE).lower()
        return [value for name, value in request.headers if name.lower() == wanted]
    if source.startswith(QUERY_SOURCE):
        return [value for name, value in request.query if name == source.removeprefix(QUERY_SOURCE)]
    return []


def _place(source: str) -> str:
    if source.startswith(HEADER_SOURCE):
        return f"the header {source.removeprefix(HEADER_SOURCE)}, with or without Bearer before it"
    if source.startswith(QUERY_SOURCE):
        return f"the query parameter {source.removeprefix(QUERY_SOURCE)}"
    return "a header, and set the authorizer's identity source to $request.header.Authorization"


def _own_algorithm(case: _Case) -> Any:
    return case.key.get("alg") if case.key else None


def _audiences(value: Any) -> list[str]:
    """The audiences of an `aud` or `client_id`: a string or a list of strings (RFC 7519, section 4.1.3)."""
    values = value if isinstance(value, list) else [value]
    return values if all(isinstance(audience, str) for audience in values) else []


def _when(case: _Case, name: str, seconds: float) -> str:
    return f"{name} {moment(seconds)}, {distance(seconds - case.now)}"


def _not_in_future(case: _Case, name: str, remedy: str) -> _Finding:
    if name not in case.claims:
        return _Finding(True, f"no {name}")
    seconds = jws.numeric_date(case.claims[name])
    if seconds is None:
        remedy = f"Use a token whose {name} is a number of seconds since 1970."
        return _Finding(False, named(case.claims, name), remedy)
    return _Finding(seconds <= case.now, _when(case, name, seconds), remedy)


def _scope_claim(claims: dict[str, Any]) -> str:
    return "scp" if "scp" in claims else "scope"


def _scope_remedy(claims: dict[str, Any]) -> str:
    if claims.get("token_use") == "access":
        return "This is an access token: send the ID token if a trigger puts the scopes there."
    return "Give the user one of these scopes, then sign in again: an old token keeps its old scopes."


RULES: tuple[Rule, ...] = (
    Rule(
        name="request-size",
        statement=f"The request line and the values of the headers are at most {LARGEST_REQUEST:,} bytes together.",
        status=431,
        source=QUOTAS_PAGE,
        expected=lambda _: f"at most {LARGEST_REQUEST:,} bytes",
        check=_check_size,
        inferred="AWS documents the quota; that a larger request is answered with 431, and its body, are inferred.",
    ),
    Rule(
        name="identity-source",
        statement="The header or query parameter that the authorizer names holds one token, after Bearer or bare.",
        expected=lambda case: f"one token in {case.authorizer.identity_source}",
        check=_check_source,
        inferred=(
            "That names of headers and Bearer are taken in any case, that blanks around the token are spaces and tabs "
            "alone (RFC 9110, section 5.6.3), and that a header or parameter given twice is refused with a bare "
            "challenge, is inferred."
        ),
    ),
    Rule(
        name="shape",
        statement="The token is a header, a payload and a signature in base64url, the first two of them JSON objects.",
        source="RFC 7515, section 7.1, and RFC 7519, section 7.2",
        confidence="inferred",
        expected=lambda _: "three parts of base64url, the first two of them JSON objects",
        check=_check_shape,
        inferred=(
            "AWS says that the token is decoded, not how strictly. The words that it sends are those of golang-jwt, "
            "which refuses padding and the standard alphabet, too, and takes 10,000 levels of nesting; Python's reader "
            f"is trusted with {jws.DEEPEST} here. That library takes what is refused here, as the RFCs allow: names "
            "used twice (the last counts), loose bits at a part's end, text that is no UTF-8, critical extensions."
        ),
    ),
    Rule(
        name="algorithm",
        statement="The header names an RSA algorithm, and the one that the key is for if the key says so.",
        expected=_expect_algorithm,
        check=_check_algorithm,
        inferred=(
            "AWS documents that only RSA algorithms are supported, not which: RS256, RS384, RS512 and PS256, "
            "PS384, PS512 are taken here. The key's own algorithm is RFC 7517, section 4.4."
        ),
    ),
    Rule(
        name="key-id",
        statement="The header's kid is that of a key that the issuer publishes.",
        expected=_expect_key_id,
        check=_check_key_id,
        inferred=(
            "That a key published for encryption, by its use or its key_ops, is passed over is ours, by RFC 7517, "
            "sections 4.2 and 4.3."
        ),
    ),
    Rule(
        name="signature",
        statement="The signature was made with that key over exactly this header and payload.",
        expected=lambda case: (
            f"made with the key {quoted(case.key['kid'])}" if case.key else "made with a key of the issuer"
        ),
        check=_check_signature,
        inferred=(
            f"That an RSA key of fewer than {jws.SMALLEST_KEY:,} bits verifies nothing is ours, by RFC 7518, section "
            "3.3."
        ),
    ),
    Rule(
        name="issuer",
        statement="The claim iss is the authorizer's issuer, to the character.",
        expected=lambda case: f"iss {quoted(case.authorizer.issuer)}",
        check=_check_issuer,
    ),
    Rule(
        name="audience",
        statement="The claim aud, or client_id if there is no aud, is one of the authorizer's audiences.",
        source=TROUBLESHOOTING_PAGE,
        expected=_expect_audience,
        check=_check_audience,
        inferred=(
            "That an aud which is neither a string nor a list of strings fits nothing is inferred from RFC 7519, "
            "section 4.1.3."
        ),
    ),
    Rule(
        name="expiry",
        statement="The claim exp is there, and is later than now.",
        expected=lambda case: f"exp later than {moment(case.now)}",
        check=_check_expiry,
        inferred=(
            "AWS documents no tolerance for clocks that differ, so there is none; that a token without an exp, or "
            "with one that is no finite number, is refused is inferred."
        ),
    ),
    Rule(
        name="not-before",
        statement="The claim nbf, if it is there, is not later than now.",
        expected=lambda case: f"no nbf, or one not later than {moment(case.now)}",
        check=lambda case: _not_in_future(
            case, "nbf", "Wait until the token is valid, or correct the clock of its issuer."
        ),
        inferred="That one which is no finite number is refused is inferred.",
    ),
    Rule(
        name="issued-at",
        statement="The claim iat, if it is there, is not later than now.",
        expected=lambda case: f"no iat, or one not later than {moment(case.now)}",
        check=lambda case: _not_in_future(
            case, "iat", "Try again in a moment; if that helps, the issuer's clock is fast."
        ),
        inferred="That one which is no finite number is refused is inferred.",
    ),
    Rule(
        name="scope",
        statement="The claim scope or scp holds one of the route's scopes, if the route has any.",
        status=403,
        expected=lambda case: f"scope {either(case.route.scopes)}" if case.route.scopes else "none required",
        check=_check_scope,
        inferred=(
            "That scp goes before scope is inferred from captures of AWS; that a scope which is no string holds "
            "nothing is inferred from RFC 8693, section 4.2."
        ),
    ),
)
