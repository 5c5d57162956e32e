"""The matrix: every attempt ends in 401 or 403, and nobody learns more than that."""

from __future__ import annotations

import base64
import json
import ssl
import time
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from tests.attacks.conftest import BOOTSTRAP_SECRET, NAMESPACE, Target
from tests.attacks.forging import ISSUER, encode, flipped, other_payload, reworded

WHO = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
REVIEW = {"kind": "SelfSubjectReview", "apiVersion": "authentication.k8s.io/v1"}
ACCOUNTS = f"/api/v1/namespaces/{NAMESPACE}/serviceaccounts"

Headers = list[tuple[str, str]]


def bearer(token: str) -> Headers:
    return [("Authorization", f"Bearer {token}")]


def now() -> int:
    return int(time.time())


TOKENS: dict[str, Callable[[Target], str]] = {
    "expired": lambda t: t.forge.token(exp=now() - 120),
    "not yet valid": lambda t: t.forge.token(nbf=now() + 120),
    "issued in the future": lambda t: t.forge.token(iat=now() + 120),
    "wrong audience": lambda t: t.forge.token(aud=["vault"]),
    "wrong issuer": lambda t: t.forge.token(iss="https://evil.example"),
    "no issuer": lambda t: t.forge.token(iss=None),
    "issuer in another type": lambda t: other_payload(t.forge.token(), iss=[ISSUER]),
    "expiry as text": lambda t: t.forge.token(exp="never"),
    "audience as a number": lambda t: t.forge.token(aud=7),
    "alg none": lambda t: t.forge.unsigned("none"),
    "alg None": lambda t: t.forge.unsigned("None"),
    "alg none with a signature": lambda t: t.forge.unsigned("none", b"x" * 64),
    "empty signature": lambda t: t.forge.unsigned("ES256"),
    "zero signature": lambda t: t.forge.unsigned("ES256", b"\0" * 64),
    "public key as HS256 secret": lambda t: t.forge.shared_secret("HS256"),
    "public key as HS512 secret": lambda t: t.forge.shared_secret("HS512"),
    "RS256 on an elliptic key": lambda t: t.forge.relabelled("RS256"),
    "ES384 on a P-256 key": lambda t: t.forge.relabelled("ES384"),
    "tampered signature": lambda t: flipped(t.forge.token()),
    "another spelling of the signature": lambda t: reworded(t.forge.token()),
    "padded": lambda t: t.forge.token() + "==",
    "a character more": lambda t: t.forge.token() + "x",
    "tampered subject": lambda t: other_payload(t.forge.token(), sub="system:serviceaccount:kube-system:default"),
    "tampered expiry": lambda t: other_payload(t.forge.token(exp=now() - 120), exp=now() + 600),
    "signed by another key": lambda t: t.forge.token(key=ec.generate_private_key(ec.SECP256R1())),
    "key in the header": lambda t: t.forge.token(
        headers={"jwk": {"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"}},
        key=ec.generate_private_key(ec.SECP256R1()),
    ),
    "key by URL": lambda t: t.forge.token(
        headers={"jku": "https://evil.example/jwks"}, key=ec.generate_private_key(ec.SECP256R1())
    ),
    "key by path": lambda t: t.forge.token(
        headers={"kid": "../../../dev/null"}, key=ec.generate_private_key(ec.SECP256R1())
    ),
    "critical extension": lambda t: t.forge.token(headers={"crit": ["exp"]}),
    "unencoded payload": lambda t: t.forge.token(headers={"b64": True}),
    "four parts": lambda t: t.forge.token() + ".x",
    "two parts": lambda t: t.forge.token().rpartition(".")[0],
    "JSON serialization": lambda t: json.dumps({"payload": encode(t.forge.claims()), "signatures": []}).replace(
        " ", ""
    ),
    "not base64": lambda t: "!!!.???.***",
    "claims that are no object": lambda t: f"{encode({'alg': 'ES256'})}.{encode([1])}.{encode(b'x' * 64)}",
    "no account in the claims": lambda t: t.forge.token(**{"kubernetes.io": None}),
    "account as text": lambda t: t.forge.token(bound={"serviceaccount": "robot"}),
    "no uid": lambda t: t.forge.token(bound={"serviceaccount": {"name": "robot"}}),
    "uid of a former account": lambda t: t.forge.token(bound={"serviceaccount": {"name": "robot", "uid": "old"}}),
    "account that never was": lambda t: t.forge.token(bound={"serviceaccount": {"name": "nobody", "uid": "x"}}),
    "account of another namespace": lambda t: t.forge.token(bound={"namespace": "kube-system"}),
    "pod that never was": lambda t: t.forge.token(bound={"pod": {"name": "nope", "uid": "x"}}),
    "uid of a former pod": lambda t: t.forge.token(bound={"pod": {"name": "alive", "uid": "old"}}),
    "secret that never was": lambda t: t.forge.token(bound={"secret": {"name": "nope", "uid": "x"}}),
    "uid of a former secret": lambda t: t.forge.token(bound={"secret": {"name": "kept", "uid": "old"}}),
    "node that never was": lambda t: t.forge.token(bound={"node": {"name": "nope", "uid": "x"}}),
    "legacy token without secret": lambda t: t.forge.token(
        iss="kubernetes/serviceaccount",
        **{
            "kubernetes.io/serviceaccount/namespace": NAMESPACE,
            "kubernetes.io/serviceaccount/secret.name": "nope",
            "kubernetes.io/serviceaccount/service-account.name": "robot",
            "kubernetes.io/serviceaccount/service-account.uid": "x",
        },
    ),
    "legacy token of another secret": lambda t: t.forge.token(
        iss="kubernetes/serviceaccount",
        **{
            "kubernetes.io/serviceaccount/namespace": NAMESPACE,
            "kubernetes.io/serviceaccount/secret.name": "kept",
            "kubernetes.io/serviceaccount/service-account.name": "robot",
            "kubernetes.io/serviceaccount/service-account.uid": t.uids["robot"],
        },
    ),
    "bootstrap: wrong secret": lambda t: "goodid.fedcba9876543210",
    "bootstrap: unknown id": lambda t: f"nobody.{BOOTSTRAP_SECRET}",
    "bootstrap: expired": lambda t: f"lateid.{BOOTSTRAP_SECRET}",
    "bootstrap: time that is none": lambda t: f"notime.{BOOTSTRAP_SECRET}",
    "bootstrap: not for authentication": lambda t: f"unused.{BOOTSTRAP_SECRET}",
    "bootstrap: group of others": lambda t: f"groups.{BOOTSTRAP_SECRET}",
    "bootstrap: id of another": lambda t: f"renamd.{BOOTSTRAP_SECRET}",
    "bootstrap: secret of another type": lambda t: f"opaque.{BOOTSTRAP_SECRET}",
    "bootstrap: path in the id": lambda t: f"../../x.{BOOTSTRAP_SECRET}",
    "static token in capitals": lambda t: "ADMIN-TOKEN",
    "static token, beginning": lambda t: "admin-toke",
    "static token, quoted": lambda t: '"admin-token"',
    "not ASCII": lambda t: "pässwörd-✓",
    "long": lambda t: "a." + "b" * 12_000 + ".c",
}

HEADERS: dict[str, Headers] = {
    "empty bearer": [("Authorization", "Bearer ")],
    "two spaces": [("Authorization", "Bearer  admin-token")],
    "basic": [("Authorization", "Basic " + base64.b64encode(b"admin:admin-token").decode())],
    "token without scheme": [("Authorization", "admin-token")],
    "bad before good": [*bearer("nobody"), *bearer("admin-token")],
    "two tokens in one": [("Authorization", "Bearer nobody, Bearer admin-token")],
    "token in a proxy's header": [("Proxy-Authorization", "Bearer admin-token")],
    "X-Remote-User without certificate": [("X-Remote-User", "admin"), ("X-Remote-Group", "system:masters")],
    "X-Remote-User beside a user": [*bearer("alice-token"), ("X-Remote-User", "admin"),
                                    ("X-Remote-Group", "system:masters")],
    "X_Remote_User": [("X_Remote_User", "admin"), ("X_Remote_Group", "system:masters")],
    "impersonate a user": [*bearer("alice-token"), ("Impersonate-User", "admin")],
    "impersonate masters": [*bearer("alice-token"), ("Impersonate-User", "x"), ("Impersonate-Group", "system:masters")],
    "impersonate oneself with a group": [*bearer("alice-token"), ("Impersonate-User", "alice"),
                                         ("Impersonate-Group", "system:masters")],
    "impersonate an account": [*bearer("alice-token"), ("Impersonate-User", "system:serviceaccount:a:b")],
    "impersonate a node": [*bearer("alice-token"), ("Impersonate-User", "system:node:n")],
    "impersonate a uid": [*bearer("alice-token"), ("Impersonate-User", "x"), ("Impersonate-Uid", "1")],
    "impersonate with extra": [*bearer("alice-token"), ("Impersonate-User", "x"), ("Impersonate-Extra-Scopes", "all")],
    "impersonate without credential": [("Impersonate-User", "admin")],
    "websocket with a bad token": [("Upgrade", "websocket"), ("Sec-WebSocket-Protocol",
        f"base64url.bearer.authorization.k8s.io.{encode(b'nobody')}, v4.channel.k8s.io")],
}  # fmt: skip

CERTIFICATES: dict[str, Headers] = {
    "stranger": [],
    "self-signed": [],
    "proxy-late": [("X-Remote-User", "admin"), ("X-Remote-Group", "system:masters")],
    "proxy-other": [("X-Remote-User", "admin"), ("X-Remote-Group", "system:masters")],
    "proxy": [],
}


def refused(answer: tuple[int, dict[str, str], str]) -> None:
    code, _, text = answer
    assert code in (401, 403), f"{code}: {text}"
    assert "Traceback" not in text
    assert ".py" not in text
    status: dict[str, Any] = json.loads(text)
    assert (status["kind"], status["status"]) == ("Status", "Failure")
    if code == 401:
        assert status["message"] == "Unauthorized"


def who(target: Target, headers: Headers, certificate: str = "") -> dict[str, Any]:
    code, _, text = target.send("POST", WHO, headers, REVIEW, certificate)
    assert code == 201, text
    found: dict[str, Any] = json.loads(text)["status"]["userInfo"]
    return found


def test_good_credentials_are_good(target: Target) -> None:
    """What the matrix changes one thing of, is accepted unchanged."""
    forge = target.forge
    account = who(target, bearer(forge.token()))
    assert account["username"] == f"system:serviceaccount:{NAMESPACE}:robot"
    assert account["groups"][:2] == ["system:serviceaccounts", f"system:serviceaccounts:{NAMESPACE}"]
    bound = who(target, bearer(forge.token(bound={"pod": {"name": "alive", "uid": target.uids["alive"]}})))
    assert bound["extra"]["authentication.kubernetes.io/pod-name"] == ["alive"]
    who(target, bearer(forge.token(bound={"secret": {"name": "kept", "uid": target.uids["kept"]}})))
    bootstrapper = who(target, bearer(f"goodid.{BOOTSTRAP_SECRET}"))
    assert bootstrapper["username"] == "system:bootstrap:goodid"
    assert "system:bootstrappers:workers" in bootstrapper["groups"]
    headers = [("X-Remote-User", "carol"), ("X-Remote-Group", "a"), ("X-Remote-Group", "b"),
               ("X-Remote-Extra-Acme.com%2FScope", "x")]  # fmt: skip
    proxied = who(target, headers, "proxy")
    assert proxied == {
        "username": "carol",
        "groups": ["a", "b", "system:authenticated"],
        "extra": {"acme.com/scope": ["x"]},
    }


@pytest.mark.parametrize("attempt", TOKENS)
def test_tokens(target: Target, attempt: str) -> None:
    """A token that is wrong in one respect is no token."""
    token = TOKENS[attempt](target)
    target.secrets.append(token)
    refused(target.send("GET", "/api/v1/secrets", bearer(token)))


@pytest.mark.parametrize("attempt", HEADERS)
def test_headers(target: Target, attempt: str) -> None:
    """Headers give nobody rights that their credential does not."""
    refused(target.send("GET", "/api/v1/secrets", HEADERS[attempt]))


@pytest.mark.parametrize("attempt", CERTIFICATES)
def test_certificates(target: Target, attempt: str) -> None:
    """Certificates of other authorities, of other purposes or out of their time open nothing."""
    try:
        answer = target.send("GET", "/api/v1/secrets", CERTIFICATES[attempt], certificate=attempt)
    except (ssl.SSLError, ConnectionError):
        return  # refused in the handshake already
    refused(answer)


def test_revocation(target: Target) -> None:
    """A token dies with its pod and with its account, within two seconds, also one that was in use."""
    pod = {"kind": "Pod", "apiVersion": "v1", "name": "dead", "uid": target.uids["dead"]}
    bound = issue(target, "robot", boundObjectRef=pod)
    plain = issue(target, "gone")
    assert who(target, bearer(bound))["username"].endswith(":robot")
    assert who(target, bearer(plain))["username"].endswith(":gone")
    target.admin("DELETE", f"/api/v1/namespaces/{NAMESPACE}/pods/dead?gracePeriodSeconds=0")
    target.admin("DELETE", f"{ACCOUNTS}/gone")
    target.admin("POST", ACCOUNTS, {"metadata": {"name": "gone"}})
    for token in (bound, plain):
        until = time.monotonic() + 2
        while target.send("POST", WHO, bearer(token), REVIEW)[0] == 201 and time.monotonic() < until:
            time.sleep(0.1)
        refused(target.send("POST", WHO, bearer(token), REVIEW))


def issue(target: Target, account: str, **spec: Any) -> str:
    made = target.admin("POST", f"{ACCOUNTS}/{account}/token", {"spec": spec})
    token: str = made["status"]["token"]
    target.secrets.append(token)
    return token


def test_nobody_grants_more_than_they_have(target: Target) -> None:
    """Who may write roles and bindings cannot give away what they have not got."""
    rbac = "/apis/rbac.authorization.k8s.io/v1"
    rules = [{"apiGroups": ["rbac.authorization.k8s.io"], "resources": ["*"], "verbs": ["*"]}]
    subjects = [{"kind": "User", "apiGroup": "rbac.authorization.k8s.io", "name": "bob"}]
    # "*" has escalate and bind: these verbs are what the test must not give
    rules[0]["verbs"] = ["create", "update", "patch", "get"]
    target.admin("POST", f"{rbac}/clusterroles", {"metadata": {"name": "writer"}, "rules": rules})
    reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "writer"}
    body = {"metadata": {"name": "writer"}, "roleRef": reference, "subjects": subjects}
    target.admin("POST", f"{rbac}/clusterrolebindings", body)
    everything = [{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}]
    admin = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"}
    selectors = {"clusterRoleSelectors": [{"matchLabels": {"a": "b"}}]}
    time.sleep(1)
    attempts: list[tuple[str, str, Any]] = [
        ("POST", "clusterroles", {"metadata": {"name": "all"}, "rules": everything}),
        ("PUT", "clusterroles/all", {"metadata": {"name": "all"}, "rules": everything}),
        ("POST", "clusterroles", {"metadata": {"name": "agg"}, "aggregationRule": selectors}),
        ("POST", f"namespaces/{NAMESPACE}/roles", {"metadata": {"name": "all"}, "rules": everything}),
        ("POST", "clusterrolebindings", {"metadata": {"name": "me"}, "roleRef": admin, "subjects": subjects}),
        ("PUT", "clusterrolebindings/me", {"metadata": {"name": "me"}, "roleRef": admin, "subjects": subjects}),
        ("POST", f"namespaces/{NAMESPACE}/rolebindings",
         {"metadata": {"name": "me"}, "roleRef": admin, "subjects": subjects}),
    ]  # fmt: skip
    for method, path, asked in attempts:
        answer = target.send(method, f"{rbac}/{path}", bearer("bob-token"), asked)
        refused(answer)
        assert "not currently held" in answer[2] or "cluster-admin privileges" in answer[2]


def test_the_issuer_is_public_and_its_key_is_not(target: Target) -> None:
    """Discovery tells the public key to those who may read it, and nothing private."""
    who_may = bearer(issue(target, "robot"))
    code, headers, text = target.send("GET", "/.well-known/openid-configuration", who_may)
    assert (code, headers["Content-Type"]) == (200, "application/json")
    assert json.loads(text)["jwks_uri"] == "https://kubernetes.default.svc/openid/v1/jwks"
    code, headers, text = target.send("GET", "/openid/v1/jwks", who_may)
    assert (code, headers["Content-Type"]) == (200, "application/jwk-set+json")
    (key,) = json.loads(text)["keys"]
    assert key["kid"] == target.forge.kid
    assert set(key) == {"use", "kid", "alg", "kty", "crv", "x", "y"}
    refused(target.send("GET", "/openid/v1/jwks", []))


def test_reviews_of_tokens(target: Target) -> None:
    """TokenReview names the account of a good token for the audiences asked, and says of a bad one only that it is."""
    path, head = "/apis/authentication.k8s.io/v1/tokenreviews", {"apiVersion": "authentication.k8s.io/v1"}
    token = issue(target, "robot", audiences=["vault"])
    for text, audiences, good in (
        (token, ["vault", "x"], True),
        (token, [], False),
        (flipped(token), ["vault"], False),
    ):
        target.secrets.append(text)
        spec = {"token": text, "audiences": audiences}
        status = target.admin("POST", path, {**head, "kind": "TokenReview", "spec": spec})["status"]
        assert status.get("authenticated", False) is good
        if good:
            assert status["audiences"] == ["vault"]
            assert status["user"]["username"] == f"system:serviceaccount:{NAMESPACE}:robot"
        else:
            assert text not in status["error"]


def test_zz_nothing_secret_was_logged(target: Target) -> None:
    """After all that, no log of any process holds a token, a key or a stack trace. Runs last, by its name."""
    assert len(target.secrets) > len(TOKENS)
    code, _, metrics = target.send("GET", "/metrics", bearer("admin-token"))
    assert code == 200
    texts = {process: target.cluster.log(process) for process in target.cluster.commands}
    for process, log in {**texts, "metrics": metrics}.items():
        assert "Traceback" not in log, f"{process}: {log[log.index('Traceback') :][:2000]}"
        for secret in target.secrets:
            assert secret not in log, f"{process} logged {secret[:12]}..."
            signature = secret.rpartition(".")[2]
            assert len(signature) < 40 or signature not in log, f"{process} logged a signature"
