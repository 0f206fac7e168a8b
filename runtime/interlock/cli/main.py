"""`interlock`: the entry point, the list of commands, and how errors end."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Sequence
from contextvars import ContextVar
from typing import Annotated

import typer

from interlock import __version__
from interlock.cli import (
    approvals,
    breakers,
    canary,
    chat,
    check,
    config,
    demo,
    escalations,
    explain,
    guardrail,
    init,
    key,
    keys,
    plan,
    plugins,
    reload,
    schema,
    serve,
    sim,
    switches,
    trace,
)
from interlock.cli.exits import Exit
from interlock.cli.text import printable
from interlock.errors import InterlockError

__all__ = ["app", "main"]

_TRACEBACK: ContextVar[bool] = ContextVar("traceback", default=False)

app = typer.Typer(
    name="interlock",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def _options(
    show_traceback: Annotated[
        bool, typer.Option("--traceback", help="Show where in the code an error arose.")
    ] = False,
    show_version: Annotated[
        bool,
        typer.Option("--version", help="Show the version.", callback=_print_version, is_eager=True),
    ] = False,
) -> None:
    """Runs AI agents that are declared in YAML: bounded, honest, changeable while running."""
    _TRACEBACK.set(show_traceback)


app.command("demo")(demo.demo)
app.command("init")(init.init)
app.command("check")(check.check)
app.command("explain")(explain.explain)
app.command("plan", cls=plan.PlanCommand)(plan.plan)
app.command("serve")(serve.serve)
app.command("reload")(reload.reload)
app.add_typer(config.app, name="config")
app.add_typer(canary.app, name="canary")
app.command("disable")(switches.disable)
app.command("enable")(switches.enable)
app.command("switches")(switches.switches)
app.add_typer(escalations.app, name="escalations")
app.add_typer(approvals.app, name="approvals")
app.add_typer(breakers.app, name="breakers")
app.command("chat")(chat.chat)
app.command("sim")(sim.sim)
app.add_typer(trace.app, name="trace")
app.add_typer(guardrail.app, name="guardrail")
app.command("schema")(schema.schema)
app.add_typer(plugins.app, name="plugins")
app.command("key")(key.key)
app.add_typer(keys.app, name="keys")


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs the command that `arguments` name, and ends the process with a code of `Exit`."""
    try:
        app(arguments, prog_name="interlock")
    except InterlockError as error:
        _show_traceback()
        print(printable(f"error[{error.code}]: {error}"), file=sys.stderr)
        sys.exit(Exit.FAILED)
    except BrokenPipeError:
        # Whoever read our output has seen enough.
        sys.exit(Exit.FAILED)
    except OSError as error:
        # A full disk, a missing right: the system's answer says more than we could.
        _show_traceback()
        print(f"error[system]: {error}", file=sys.stderr)
        sys.exit(Exit.FAILED)
    except Exception as error:
        # The boundary of the process: the user hears of it here, as nobody is left above.
        shown = _show_traceback()
        print(printable(f"unexpected {type(error).__name__}: {error}"), file=sys.stderr)
        if not shown:
            way = "this is a fault of Interlock; to see where: interlock --traceback ..."
            print(way, file=sys.stderr)
        sys.exit(Exit.UNEXPECTED)


def _show_traceback() -> bool:
    if _TRACEBACK.get():
        traceback.print_exc()
    return _TRACEBACK.get()


if __name__ == "__main__":
    main()
