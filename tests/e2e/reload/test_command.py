"""`interlock reload` where there is nothing to reload."""

from __future__ import annotations

from pathlib import Path

from aiohttp import web

from interlock.service.keys import new_key
from tests.e2e.reload.project import Project
from tests.e2e.reload.serving import interlock, serving


async def test_a_service_that_is_not_there_is_said_to_be_missing(tmp_path: Path) -> None:
    code, output, errors = await interlock("reload", "--url", "http://127.0.0.1:9", cwd=tmp_path)
    assert (code, output) == (1, "")
    assert errors.startswith("error[service_failed]: no answer from http://127.0.0.1:9: ")
    assert "--url names another" in errors


async def test_something_else_is_not_taken_for_the_service(tmp_path: Path) -> None:
    async def answer(request: web.Request) -> web.Response:
        return web.Response(text="hello", status=409)

    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        code, _, errors = await interlock("reload", "--url", url, cwd=tmp_path)
    finally:
        await runner.cleanup()
    assert code == 1
    assert f"no Interlock service answers at {url}" in errors


async def test_a_key_is_needed_where_the_service_asks_for_one(project: Project) -> None:
    key, digest = new_key()
    project.write(keys=f"{{name: ops, sha256: '{digest}'}}", more=", mode: manual")
    async with serving(project.folder, key=key) as service:
        arguments = ("reload", "--url", service.url)
        code, _, errors = await interlock(*arguments, cwd=project.folder)
        assert code == 1
        assert "the service says unauthorized: " in errors
        assert "(give --key, or set INTERLOCK_API_KEY)" in errors
        project.describe("Two.")
        code, output, _ = await interlock(
            *arguments, "--key", key, "--if-match", "0" * 64, cwd=project.folder
        )
        assert code == 1
        assert "rejected (stale_precondition): generation 1" in output
        active = (await service.config())["active"]["digest"]
        code, output, _ = await interlock(
            *arguments, "--key", key, "--if-match", active, cwd=project.folder
        )
        assert (code, "applied: generation 2" in output) == (0, True)
