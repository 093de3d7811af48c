"""The `stance` application: its commands, global options, and how errors end."""

from __future__ import annotations

import logging
import os
import sys
import traceback
from collections.abc import Sequence
from importlib import metadata
from typing import Annotated

import typer
from typer.exceptions import Abort, TyperException

from pipeline.cli.annotate import annotate
from pipeline.cli.classify import classify
from pipeline.cli.corpus import check_corpus
from pipeline.cli.ingest import duplicates, ingest, sources
from pipeline.cli.models import evaluate, retrain
from pipeline.cli.report import report
from pipeline.cli.statements import statements
from pipeline.cli.trends import trends
from pipeline.errors import OutputClosedError, StanceError

app = typer.Typer(
    name="stance",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help="Find out, from what officials say, whether China and Russia converge on Afghanistan.",
)
for command in (
    ingest, classify, trends, report, statements, duplicates, sources, retrain, evaluate, check_corpus
):  # fmt: skip
    app.command()(command)
app.add_typer(annotate)


def _print_version(asked: bool) -> None:
    if asked:
        typer.echo(metadata.version("stance-convergence"))
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version and exit.")
    ] = False,
    debug: Annotated[
        bool, typer.Option("--debug", help="Show the traceback of an error; accepted anywhere on the line.")
    ] = False,
) -> None:
    del version, debug  # both are dealt with before this runs


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit status: 0 done, 1 failed, 2 wrong use, 3 partly done.

    A user's error is one line on standard error; `--debug` adds the traceback.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    debug = "--debug" in given
    given = [argument for argument in given if argument != "--debug"]
    logging.basicConfig(
        format="stance: %(levelname)s: %(message)s", level=logging.INFO if debug else logging.WARNING
    )
    try:
        status = app(given, prog_name="stance", standalone_mode=False)
    except OutputClosedError as error:
        # Keep the interpreter from complaining about the closed pipe when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return error.exit_status
    except StanceError as error:
        return _fail(str(error), error.exit_status, debug=debug)
    except TyperException as error:
        return _fail(_with_hint(error), error.exit_code, debug=debug)
    except (Abort, KeyboardInterrupt):
        return _fail("stopped; nothing half-written was left behind.", 130, debug=False)
    return status if isinstance(status, int) else 0


def _with_hint(error: TyperException) -> str:
    context = getattr(error, "ctx", None)
    hint = f" See `{context.command_path} --help`." if context is not None else ""
    return f"{error.format_message().rstrip('.')}.{hint}"


def _fail(message: str, status: int, *, debug: bool) -> int:
    if debug:
        traceback.print_exc()
    sys.stderr.write(f"stance: {' '.join(message.split())}\n")
    return status
