"""A secret in a file reaches the model's server, and nothing else: no output, store or log."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.e2e.cli.processes import interlock, running

KEY = "c0ffee-5f1e9d-key-of-the-test"
HEADER = "b4dcafe-77aa21-header-of-the-test"
OLD_KEY = "{env: ANTHROPIC_API_KEY, default: simulator}"


@pytest.fixture
def secret_project(project: Path) -> Path:
    """The starter with its key, and a header, in files outside of the configuration."""
    (project / "secrets").mkdir()
    (project / "secrets" / "key").write_text(f"{KEY}\n")
    (project / "secrets" / "header").write_text(f"{HEADER}\r\n")
    settings = project / "interlock.yaml"
    text = settings.read_text()
    assert text.count(OLD_KEY) == 1
    files = "{file: secrets/key}\n    headers: {X-Gateway: {file: secrets/header}}"
    settings.write_text(text.replace(OLD_KEY, files))
    return project


@contextmanager
def echoing_server() -> Iterator[tuple[str, list[dict[str, str]]]]:
    """A server that refuses every request, and says in its answer which headers it got."""
    asked: list[dict[str, str]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            asked.append({name.lower(): value for name, value in self.headers.items()})
            error = {"type": "authentication_error", "message": f"not allowed: {asked[-1]}"}
            body = json.dumps({"type": "error", "error": error}).encode()
            self.send_response(401)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def written(project: Path) -> bytes:
    """Every byte below the project but the files of the secrets themselves."""
    files = [
        path for path in project.rglob("*") if path.is_file() and path.parent.name != "secrets"
    ]
    assert [path for path in files if path.suffix == ".db"]
    return b"".join(path.read_bytes() for path in files)


def test_a_secret_is_sent_and_never_shown_or_kept(secret_project: Path) -> None:
    project, said = secret_project, ""
    with echoing_server() as (url, asked):
        environment = {"INTERLOCK_MODEL_URL": url}
        for arguments in (
            ("check",),
            ("check", "--format", "json"),
            ("check", "--format", "github"),
            ("config", "explain", "providers.anthropic.apiKey"),
        ):
            done = interlock(*arguments, cwd=project, environment=environment)
            said += done.stdout + done.stderr
        with running("serve", "--port", "0", cwd=project, environment=environment) as service:
            talk = ("chat", "assistant", "Hello?", "--url", service.url)
            failed = interlock(*talk, cwd=project)
            # Another configuration, so that there is a difference, a history and a last good one.
            settings = project / "interlock.yaml"
            settings.write_text(settings.read_text().replace("secrets/header", "secrets/key"))
            reloaded = interlock("reload", "--url", service.url, cwd=project)
            said += failed.stdout + failed.stderr + reloaded.stdout + reloaded.stderr
            for arguments in (("plan", "--against", "live", "--url", service.url),):
                done = interlock(*arguments, cwd=project, environment=environment)
                said += done.stdout + done.stderr
        assert reloaded.returncode == 0, reloaded.stderr
        for arguments in (("config", "list"), ("config", "show"), ("config", "diff")):
            done = interlock(*arguments, cwd=project, environment=environment)
            said += done.stdout + done.stderr
        # A message that is answered in this process, for what a turn leaves behind there.
        failed = interlock("chat", "assistant", "Hello?", cwd=project, environment=environment)
        said += failed.stdout + failed.stderr
    assert asked
    assert {headers["authorization"] for headers in asked} == {f"Bearer {KEY}"}
    assert {headers["x-gateway"] for headers in asked} == {HEADER, KEY}
    assert "headers.X-Gateway.file secrets/header → secrets/key" in said
    # What the server said has been kept, and with it what it repeated.
    assert b"not allowed" in written(project)
    for secret in (KEY, HEADER):
        assert secret not in said
        assert secret.encode() not in written(project)


def test_a_new_secret_takes_effect_with_a_reload(secret_project: Path) -> None:
    with echoing_server() as (url, asked):
        environment = {"INTERLOCK_MODEL_URL": url}
        with running(
            "serve", "--port", "0", cwd=secret_project, environment=environment
        ) as service:
            talk = ("chat", "assistant", "Hello?", "--url", service.url)
            interlock(*talk, cwd=secret_project)
            assert {headers["authorization"] for headers in asked} == {f"Bearer {KEY}"}
            asked.clear()
            (secret_project / "secrets" / "key").write_text("another-key")
            reloaded = interlock("reload", "--url", service.url, cwd=secret_project)
            assert reloaded.returncode == 0, reloaded.stdout + reloaded.stderr
            interlock(*talk, cwd=secret_project)
            assert {headers["authorization"] for headers in asked} == {"Bearer another-key"}


def test_a_literal_secret_is_refused_without_being_shown(project: Path) -> None:
    settings = project / "interlock.yaml"
    secret = "sk-ant-api03-Zm9vYmFyYmF6"
    settings.write_text(settings.read_text().replace(OLD_KEY, secret))
    for arguments in (
        *(("check", "--format", form) for form in ("text", "json", "github")),
        ("serve", "--port", "0"),
        ("chat", "assistant", "Hello?"),
        ("plan", "--against", "."),
        ("config", "explain", "providers.anthropic.apiKey"),
    ):
        done = interlock(*arguments, cwd=project)
        said = done.stdout + done.stderr
        assert done.returncode != 0, arguments
        assert "ILK-C026" in said or arguments[0] == "config", arguments
        assert secret not in said, arguments


def test_a_secret_that_is_not_there_is_told_at_its_place(secret_project: Path) -> None:
    (secret_project / "secrets" / "key").unlink()
    checked = interlock("check", cwd=secret_project)
    assert checked.returncode == 1
    assert checked.stdout.startswith(
        "interlock.yaml:9:20: error[ILK-C029]: the secret cannot be taken from secrets/key:"
        " there is no such file\n"
    )
