from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock.redaction import find_secrets, mask_line, names_secret, without_secrets

SECRETS = [
    ("an Anthropic API key", "sk-ant-api03-Zm9vYmFyYmF6"),
    ("an API key", "sk-proj-0123456789abcdef"),
    ("a Stripe key", "sk_live_4eC39HqLyjWDarjtT1zdp7dc"),
    ("an AWS access key", "AKIAIOSFODNN7EXAMPLE"),
    ("a GitHub token", "ghp_0123456789abcdefghijABCDEFGHIJ012345"),
    ("a GitHub token", "github_pat_11ABCDEFG0abcdefghijkl_mnop"),
    ("a GitLab token", "glpat-0123456789abcdefghij"),
    ("a Slack token", "xoxb-123456789012-abcdefABCDEF"),
    ("a Google API key", "AIzaSyA-0123456789abcdefghijklmnopqrstu"),
    ("a JSON web token", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dozjgNryP4J3jVmNHl0w5N"),
]
HARMLESS = [
    "Never ask for the password: customers must not share it.",
    "The bearer of this letter may enter.",
    "Your API key: ask the help desk for one.",
    "sk-learn-is-a-library-of-its-own",
    "Order ORD-1001 is tracked by 1Z999AA10123456784.",
    "https://127.0.0.1:8090/orders/{{ input.order_id }}@x",
    "postgresql://{{ env.DB_USER }}:{{ env.DB_PASSWORD }}@db/interlock",
    "sqlite:///var/interlock.db",
    "a" * 64,
    "maxTokens: 50000",
]


@pytest.mark.parametrize(("kind", "secret"), SECRETS)
@pytest.mark.parametrize("around", ["{}", "use {} here", "key='{}',", "({})"])
def test_a_secret_is_found_wherever_it_stands(kind: str, secret: str, around: str) -> None:
    text = around.format(secret)
    [found] = find_secrets(text)
    assert (found.kind, text[found.start : found.end]) == (kind, secret)
    assert without_secrets(text) == around.format("(hidden)")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("password: hunter2", "password: (hidden)"),
        ("the Password is: 'hunter2'", "the Password is: '(hidden)'"),
        ("API key=ab12cd34;", "API key=(hidden);"),
        ("Authorization: Bearer 0123456789abcdef", "Authorization: Bearer (hidden)"),
        ("postgresql://me:pw@db/x", "postgresql://me:(hidden)@db/x"),
        ("redis://:pw@cache", "redis://:(hidden)@cache"),
        ("-----BEGIN RSA PRIVATE KEY-----\nabc\n-----END RSA PRIVATE KEY-----.", "(hidden)."),
        ("-----BEGIN PRIVATE KEY-----\nabc", "(hidden)"),
        ("sk-ant-api03-abc and AKIAIOSFODNN7EXAMPLE", "(hidden) and (hidden)"),
    ],
)
def test_what_stands_beside_a_secret_is_kept(text: str, shown: str) -> None:
    assert without_secrets(text) == shown


@pytest.mark.parametrize("text", HARMLESS)
def test_other_texts_are_left_alone(text: str) -> None:
    assert list(find_secrets(text)) == []
    assert without_secrets(text) == text


NAMES = """
    apiKey api_key X-Api-Key SHOP_TOKEN token clientSecret Authorization password DB_PASSWORD
    accessToken privateKey AWS_SECRET_ACCESS_KEY
"""


@pytest.mark.parametrize("name", NAMES.split())
def test_a_name_of_a_secret_is_known(name: str) -> None:
    assert names_secret(name)


@pytest.mark.parametrize(
    "name",
    [
        "maxTokens",
        "tokens",
        "key",
        "sha256",
        "passwordHint",
        "TOKEN_URL",
        "monkey",
        "X-Customer-Id",
    ],
)
def test_other_names_are_not(name: str) -> None:
    assert not names_secret(name)


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("  a: {apiKey: hunter2, url: x}", "  a: {apiKey: *******, url: x}"),
        ('  token: "a b c"  # here', "  token: *******  # here"),
        ("  apiKey: {env: KEY, default: none}", "  apiKey: {env: KEY, default: none}"),
        ("  Authorization: 'Bearer {{ env.TOKEN }}'", "  Authorization: 'Bearer {{ env.TOKEN }}'"),
        ("  text: sk-ant-api03-abc is it", "  text: **************** is it"),
        ("    " + "QUJD" * 16, "    " + "*" * 64),
        ("  maxTokens: 50000", "  maxTokens: 50000"),
    ],
)
def test_a_line_keeps_its_length(line: str, shown: str) -> None:
    assert mask_line(line) == shown


@given(st.text(), st.sampled_from([secret for _, secret in SECRETS]), st.text())
def test_nothing_of_a_secret_is_shown_whatever_stands_around_it(
    before: str, secret: str, after: str
) -> None:
    text = f"{before} {secret} {after}"
    assert secret not in without_secrets(text)
    line = text.replace("\n", " ")
    assert secret not in mask_line(line)
    assert len(mask_line(line)) == len(line)
