"""`interlock guardrail`: what a guardrail says about texts of one's own."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from interlock.cli.exits import Exit
from interlock.errors import InterlockError

if TYPE_CHECKING:
    from interlock.cli.guardrail_trial import Sample, Verdict
    from interlock.model.agent import GuardrailUse
    from interlock.model.base import JsonObject
    from interlock.turn.guard import Guardrail, Stage

__all__ = ["Format", "NoGuardrail", "app", "try_guardrail"]

app = typer.Typer(no_args_is_help=True, help="See what guardrails do.")


class Format(StrEnum):
    """How verdicts are printed."""

    TEXT = "text"
    JSONL = "jsonl"


class NoGuardrail(InterlockError):
    """There is no such guardrail, or it cannot be set up like that."""

    code = "no_guardrail"


@app.callback()
def _guardrail() -> None:
    """See what guardrails do."""


@app.command("try")
def try_guardrail(
    name: Annotated[str, typer.Argument(help="The guardrail, such as injection.")],
    file: Annotated[
        str, typer.Option(metavar="FILE|-", help="JSONL: an object with text and channel a line.")
    ],
    form: Annotated[
        Format, typer.Option("--format", help="For people or for programs.")
    ] = Format.TEXT,
    settings: Annotated[
        str | None,
        typer.Option("--with", metavar="JSON", help="Settings, as under `with:` in YAML."),
    ] = None,
    agent: Annotated[
        str | None, typer.Option(help="Take the settings of this agent of the project.")
    ] = None,
    project: Annotated[
        Path, typer.Option(exists=True, file_okay=False, help="For --agent: the project's folder.")
    ] = Path(),
) -> None:
    """Judge the texts of a file with one guardrail. No model is asked.

    Exit code 0 if every text was judged, 1 if a line is not valid or would need a model.
    """
    from interlock.cli.guardrail_trial import read_samples

    given = _settings(settings)
    uses = {} if agent is None else _uses(project, agent, name)
    guardrails = _build(name, uses, given)
    samples = read_samples(_lines(file), name="stdin" if file == "-" else file)
    if asyncio.run(_judge(samples, guardrails, form)):
        raise typer.Exit(Exit.FAILED)


async def _judge(
    samples: Iterator[Sample], guardrails: Mapping[Stage, Guardrail], form: Format
) -> bool:
    """Prints the verdicts; whether there is a text without one."""
    from interlock.cli.guardrail_trial import judge_samples

    judged: list[tuple[Sample, Verdict]] = []
    failed = False
    async for sample, verdict in judge_samples(samples, guardrails):
        failed = failed or verdict.verdict == "error"
        if form is Format.JSONL:
            typer.echo(json.dumps(verdict.to_json(), ensure_ascii=False))
        else:
            judged.append((sample, verdict))
    if form is Format.TEXT:
        from rich.console import Console

        from interlock.cli.guardrail_text import print_trial

        print_trial(Console(highlight=False, markup=False), judged)
    return failed


def _build(
    name: str, uses: Mapping[Stage, GuardrailUse], given: JsonObject
) -> Mapping[Stage, Guardrail]:
    """The guardrail for each stage. Raises `NoGuardrail`."""
    from pydantic import ValidationError

    from interlock.cli.guardrail_trial import CHANNELS
    from interlock.diagnostics import nearest
    from interlock.guardrails import GUARDRAILS, build_guardrail
    from interlock.model.agent import GuardrailUse

    if name not in GUARDRAILS:
        close = nearest(name, GUARDRAILS)
        hint = f"did you mean '{close}'?" if close else f"there are {', '.join(sorted(GUARDRAILS))}"
        raise NoGuardrail(f"there is no guardrail '{name}'; {hint}")
    # Where the agent does not use it, its settings of the first stage that does stand in.
    first = next(iter(uses.values()), None)
    built: dict[Stage, Guardrail] = {}
    for stage in set(CHANNELS.values()):
        use = uses.get(stage, first)
        merged = {**(use.with_ if use else {}), **given}
        try:
            built[stage] = build_guardrail(
                GuardrailUse.model_validate({"use": name, "with": merged})
            )
        except ValidationError as error:
            problem = error.errors()[0]
            key = ".".join(map(str, problem["loc"]))
            raise NoGuardrail(f"--with: {key}: {problem['msg']}") from error
    return built


def _uses(project: Path, agent: str, name: str) -> Mapping[Stage, GuardrailUse]:
    """How the agent uses the guardrail, by stage. Raises `NoGuardrail`, `ConfigError`."""
    from interlock.config.source import read_tree
    from interlock.diagnostics import nearest
    from interlock.errors import ConfigError
    from interlock.reload.generation import check

    loaded, toolbox = check(read_tree(project), os.environ, project=project)
    if toolbox is not None:
        toolbox.forget()
    if loaded.snapshot is None:
        raise ConfigError(loaded.found)
    agents = loaded.snapshot.agents
    if agent not in agents:
        close = nearest(agent, agents)
        hint = f"did you mean '{close}'?" if close else f"there are {', '.join(sorted(agents))}"
        raise NoGuardrail(f"there is no agent '{agent}'; {hint}")
    declared = agents[agent].guardrails
    stages: dict[Stage, tuple[GuardrailUse, ...]] = {
        "input": declared.input,
        "tool_call": declared.tool_call,
        "tool_result": declared.tool_result,
        "output": declared.output,
    }
    found = {
        stage: use for stage, uses in stages.items() for use in reversed(uses) if use.use == name
    }
    if not found:
        raise NoGuardrail(f"the agent '{agent}' does not use '{name}'; try it without --agent")
    return found


def _settings(text: str | None) -> JsonObject:
    if text is None:
        return {}
    try:
        document = json.loads(text)
    except ValueError as error:
        raise typer.BadParameter(f"it is not JSON: {error}", param_hint="--with") from error
    if not isinstance(document, dict):
        raise typer.BadParameter("it has to be an object", param_hint="--with")
    return document


def _lines(file: str) -> Iterable[bytes]:
    """The lines of the file, or of standard input as they come. Raises `NoGuardrail`."""
    if file == "-":
        return sys.stdin.buffer
    try:
        return Path(file).read_bytes().split(b"\n")
    except OSError as error:
        raise NoGuardrail(f"cannot read '{file}': {error.strerror or error}") from error
