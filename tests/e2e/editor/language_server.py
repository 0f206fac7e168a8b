"""A YAML language server as an editor sees it: open a file, get findings, keys and texts."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.e2e.editor.json_rpc import Connection, connected

__all__ = ["Finding", "LanguageServer", "Offer", "running_server"]

_SECONDS = 60
_SETTINGS: Mapping[str, Any] = {
    "validate": True,
    "completion": True,
    "hover": True,
    # Nothing here may use the network.
    "schemaStore": {"enable": False, "url": ""},
    "kubernetesCRDStore": {"enable": False},
}
_CAPABILITIES: Mapping[str, Any] = {
    "workspace": {"configuration": True, "workspaceFolders": True},
    "textDocument": {
        "completion": {
            "completionItem": {
                "snippetSupport": True,
                "documentationFormat": ["markdown", "plaintext"],
            }
        },
        "hover": {"contentFormat": ["markdown", "plaintext"]},
        "publishDiagnostics": {},
    },
}


@dataclass(frozen=True)
class Finding:
    """One diagnostic: the line, from 1, and what is underlined there."""

    line: int
    marked: str
    message: str
    source: str


@dataclass(frozen=True)
class Offer:
    """One thing that completion offers."""

    label: str
    inserts: str
    documentation: str


class LanguageServer:
    """Opens a file, asks, and closes it again; what the file holds on disk does not matter."""

    def __init__(self, settings: Mapping[str, Any]) -> None:
        self._settings = {"yaml": {**_SETTINGS, **settings}}
        self._connection: Connection
        self._configured = asyncio.Event()
        self._published: dict[str, asyncio.Future[list[dict[str, Any]]]] = {}

    async def start(self, connection: Connection, root: Path) -> None:
        """Shakes hands over `connection` about the workspace `root`."""
        self._connection = connection
        folder = {"uri": root.as_uri(), "name": root.name}
        await connection.request(
            "initialize",
            {
                "processId": None,
                "rootUri": root.as_uri(),
                "workspaceFolders": [folder],
                "capabilities": _CAPABILITIES,
            },
        )
        await connection.notify("initialized", {})
        async with asyncio.timeout(_SECONDS):
            await self._configured.wait()

    async def stop(self) -> None:
        """Says goodbye."""
        await self._connection.request("shutdown", None)
        await self._connection.notify("exit", None)

    async def findings(self, path: Path, text: str) -> list[Finding]:
        """What the editor underlines in a file `path` that holds `text`."""
        async with self._opened(path, text) as uri, asyncio.timeout(_SECONDS):
            published = await self._published[uri]
        return [_finding(one, text.splitlines()) for one in published]

    async def offers(self, path: Path, text: str, at: tuple[int, int]) -> list[Offer]:
        """What completion offers at a place: (line, character), both from 0."""
        async with self._opened(path, text) as uri:
            result = await self._connection.request("textDocument/completion", _place(uri, at))
        return [
            Offer(
                label=item["label"],
                inserts=item.get("textEdit", {}).get("newText", item.get("insertText", "")),
                documentation=_markup(item.get("documentation")),
            )
            for item in result["items"]
        ]

    async def hover(self, path: Path, text: str, at: tuple[int, int]) -> str:
        """The text, as Markdown, that is shown over a place: (line, character), both from 0."""
        async with self._opened(path, text) as uri:
            result = await self._connection.request("textDocument/hover", _place(uri, at))
        return _markup(result["contents"]) if result else ""

    @asynccontextmanager
    async def _opened(self, path: Path, text: str) -> AsyncIterator[str]:
        uri = path.as_uri()
        # Findings carry no version: those of an earlier text could be taken for this one's.
        assert uri not in self._published, f"{path} has been opened before"
        self._published[uri] = asyncio.get_running_loop().create_future()
        document = {"uri": uri, "languageId": "yaml", "version": 1, "text": text}
        await self._connection.notify("textDocument/didOpen", {"textDocument": document})
        yield uri
        await self._connection.notify("textDocument/didClose", {"textDocument": {"uri": uri}})

    def answer(self, method: str, parameters: Any) -> Any:
        """The editor's answer to a request of the server."""
        if method != "workspace/configuration":
            return None
        items = parameters["items"]
        if len(items) > 1:
            self._configured.set()
        return [self._settings.get(item["section"]) for item in items]

    def hear(self, method: str, parameters: Any) -> None:
        """Takes what the server publishes."""
        if method == "textDocument/publishDiagnostics":
            waiting = self._published.get(parameters["uri"])
            if waiting is not None and not waiting.done():
                waiting.set_result(parameters["diagnostics"])


@asynccontextmanager
async def running_server(
    command: Sequence[str], root: Path, settings: Mapping[str, Any] | None = None
) -> AsyncIterator[LanguageServer]:
    """Runs a server for the workspace `root`, with `settings` of the section `yaml`."""
    server = LanguageServer(settings or {})
    async with connected(command, answer=server.answer, hear=server.hear) as connection:
        await server.start(connection, root)
        yield server
        await server.stop()


def _place(uri: str, at: tuple[int, int]) -> dict[str, Any]:
    return {"textDocument": {"uri": uri}, "position": {"line": at[0], "character": at[1]}}


def _finding(diagnostic: dict[str, Any], lines: list[str]) -> Finding:
    start, end = diagnostic["range"]["start"], diagnostic["range"]["end"]
    line = lines[start["line"]]
    stop = end["character"] if end["line"] == start["line"] else len(line)
    return Finding(
        line=start["line"] + 1,
        marked=line[start["character"] : stop],
        message=diagnostic["message"],
        source=diagnostic.get("source", ""),
    )


def _markup(content: Any) -> str:
    return content["value"] if isinstance(content, dict) else content or ""
