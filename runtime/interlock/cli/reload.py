"""`interlock reload`: makes a running service look at its files, and says what came of it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated, Any

import typer

from interlock.cli.exits import Exit

if TYPE_CHECKING:
    from interlock.model.base import JsonObject

__all__ = ["print_applied", "print_rejected", "reload"]

_ADDRESS = "http://127.0.0.1:8080"


def reload(
    url: Annotated[
        str, typer.Option(envvar="INTERLOCK_URL", help="Where the service is.")
    ] = _ADDRESS,
    key: Annotated[
        str | None, typer.Option(envvar="INTERLOCK_API_KEY", help="The API key of the service.")
    ] = None,
    why: Annotated[str | None, typer.Option(help="Kept in the history.")] = None,
    if_match: Annotated[
        str | None, typer.Option(metavar="DIGEST", help="Only if this is the active snapshot.")
    ] = None,
    allow_removals: Annotated[
        bool, typer.Option("--allow-removals", help="Also remove many agents at once.")
    ] = False,
    skip_canary: Annotated[
        bool,
        typer.Option("--skip-canary", help="For all conversations, whatever reload.canary says."),
    ] = False,
) -> None:
    """Apply the files of a running service now, whatever its reload.mode is.

    Exit code 0 if they are what is active then, 1 if they were rejected: the findings are those
    of `interlock check`, and the service goes on with what it had.
    """
    from interlock.cli.service_request import ServiceRefused, request

    body: JsonObject = {"allowRemovals": allow_removals, "skipCanary": skip_canary}
    if why is not None:
        body["why"] = why
    asked = request(url, "/v1/config/reload", key=key, method="POST", body=body, if_match=if_match)
    try:
        answer = asyncio.run(asked)
    except ServiceRefused as refused:
        if "findings" not in refused.problem:
            raise
        print_rejected(refused.problem)
        raise typer.Exit(Exit.FAILED) from refused
    print_applied(answer)


def print_rejected(answer: Any) -> None:
    """Prints why a service did not apply a configuration; `answer` is its problem document."""
    from rich.console import Console

    from interlock.cli.findings import print_rendered
    from interlock.cli.text import printable

    console = Console()
    for finding in answer["findings"]:
        print_rendered(finding["text"], console=console)
    _say(
        console,
        printable(
            f"rejected ({answer['reason']}): generation {answer['generation']}, "
            f"snapshot {answer['active'][:12]} serves on"
        ),
    )


def print_applied(answer: Any) -> None:
    """Prints what a service has applied, and what that changes; `answer` is its `Reloaded`."""
    from rich.console import Console

    from interlock.cli.findings import print_rendered
    from interlock.cli.text import printable
    from interlock.config.diff import Change
    from interlock.config.diff_lines import describe

    console = Console()
    for warning in answer["warnings"]:
        print_rendered(warning["text"], console=console)
    for item in answer["changes"]:
        restart_needed = item.pop("restartNeeded")
        _say(console, printable(describe(Change(**item, restart_needed=restart_needed))))
    active = f"generation {answer['generation']}, snapshot {answer['digest'][:12]}"
    if answer["status"] == "unchanged":
        _say(console, f"unchanged: {active}")
    elif answer["status"] == "canary":
        _say(
            console,
            f"on trial for some conversations (interlock canary show); {active} is active",
        )
    else:
        _say(console, f"applied: {active}, {answer['seconds']:.2f} s")
    if answer["restartNeeded"]:
        _say(console, f"restart needed: {', '.join(answer['restartNeeded'])}")


def _say(console: Any, text: str) -> None:
    console.print(text, soft_wrap=True, highlight=False, markup=False)
