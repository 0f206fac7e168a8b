"""A change that is tried on new conversations first, in a real service with a real editor."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.e2e.reload.project import Project, agent
from tests.e2e.reload.serving import Serving, interlock, serving, until

_CANARY = ", canary: {share: 50%, for: 1h, minTurns: 5}"
_TOO_STRICT = agent("One.").replace("characters: 100", "characters: 1")


async def _canary(service: Serving) -> Any:
    """Waits until a configuration is on trial; what is known of it."""

    async def is_tried() -> bool:
        return (await service.config())["canary"] is not None

    await until(is_tried)
    return (await service.config())["canary"]


async def test_a_guardrail_that_is_too_strict_never_reaches_everybody(
    project: Project, environment: Mapping[str, str]
) -> None:
    project.write(more=_CANARY)
    good = project.digest
    async with serving(project.folder, environment=environment) as service:
        old = await service.open()
        assert (await service.say("hello", conversation=old))["outcome"] == "resolved"
        project.agent.write_text(_TOO_STRICT)
        canary = await _canary(service)
        assert (canary["digest"], canary["share"]) == (project.digest, 0.5)
        assert await service.metric("config_canary") == 1
        code, output, _ = await interlock(
            "canary", "show", "--url", service.url, cwd=project.folder
        )
        assert (code, "gets 50% of the new conversations" in output) == (0, True)

        outcomes: dict[str, set[str]] = {}

        async def is_aborted() -> bool:
            answer = await service.say("hello")
            turn = await service.get(f"/v1/turns/{answer['turnId']}")
            outcomes.setdefault(turn["snapshot"], set()).add(answer["outcome"])
            return (await service.config())["canary"] is None

        await until(is_aborted)
        assert outcomes == {good: {"resolved"}, project.digest: {"refused"}}
        assert (await service.say("hello", conversation=old))["outcome"] == "resolved"
        config = await service.config()
        assert config["active"]["digest"] == good
        assert config["rejected"]["reason"] == "canary"
        assert "refusalRate 0% → 100%" in config["rejected"]["findings"][0]["text"]
        assert (await service.health())["reasons"] == ["config_rejected"]
        assert "refusalRate 0% → 100%" in service.log
        assert await service.metric("config_reload_rejected_total", reason="canary") == 1
        assert await service.stop() == 0

    # What has failed is not activated by a restart either.
    async with serving(project.folder, environment=environment) as service:
        assert (await service.say("hello"))["outcome"] == "resolved"
        assert (await service.config())["active"]["digest"] == good
        project.describe("One.")

        async def is_in_order() -> bool:
            return bool((await service.health())["status"] == "ok")

        await until(is_in_order)


async def test_operators_end_a_trial_by_hand(project: Project) -> None:
    project.write(more=_CANARY)
    async with serving(project.folder) as service:
        project.describe("Two.")
        await _canary(service)
        code, output, _ = await interlock(
            *("canary", "promote", "--url", service.url, "--why", "urgent"), cwd=project.folder
        )
        assert (code, output) == (
            0,
            f"applied: generation 2, snapshot {project.digest[:12]}\n",
        )
        assert await service.refusal() == "Two."
        active = (await service.config())["active"]
        assert active["why"] == "promoted canary, by somebody: urgent"

        project.describe("Three.")
        await _canary(service)
        code, output, _ = await interlock(
            *("canary", "abort", "--url", service.url), cwd=project.folder
        )
        assert (code, output.startswith(f"aborted: snapshot {project.digest[:12]}")) == (0, True)
        assert await service.refusal() == "Two."
        code, _, errors = await interlock(
            *("canary", "abort", "--url", service.url), cwd=project.folder
        )
        assert (code, "no configuration is being tried" in errors) == (1, True)

        code, output, _ = await interlock(
            *("reload", "--skip-canary", "--url", service.url), cwd=project.folder
        )
        assert (code, "applied: generation 4" in output) == (0, True)
        assert await service.refusal() == "Three."
