"""The command line. One file per group of commands, imported only when it is used: --help knows their names alone.

A command returns its exit code, or None for 0. Failures with a name end here: their text and their exit code.
"""

import difflib
import logging
import os
import sys

from cyclopts import App
from cyclopts.exceptions import CycloptsError

from agents.errors import ConfigurationError, TierstreamError, told_of_disk

USAGE_EXIT_CODE = ConfigurationError.exit_code
INTERRUPTED_EXIT_CODE = 130

COMMANDS = {
    "demo": "Watch real purchases become tiers on this machine: nothing else is needed.",
    "init": "Make a folder with settings, a policy, sample events and the next steps.",
    "broker": "Start, stop and look at a Kafka on this machine.",
    "topics": "Plan, create and check the topics on a cluster.",
    "worker": "Run the pipeline: events in, changes of standing out.",
    "health": "Ask a running worker whether it is alive, ready, started.",
    "feed": "Send a file of events.",
    "simulate": "Make up the events of a whole shop, and keep the truth beside them.",
    "map": "See what a mapping file makes of another system's records.",
    "go-live": "End a backfill: from now on, changes are told.",
    "dlq": "Look at dead letters, and send them again.",
    "replay": "Fold the journal again: to another instant, under another policy.",
    "state": "Make what workers keep of the customers anew from the journal.",
    "audit": "Prove that what was published is what the journal says.",
    "policy": "Check, compare, show and activate policies.",
    "customer": "Look at one customer.",
    "explain": "Tell why a customer stands where they stand, and what would change it.",
    "fit": "Fit the churn model to your own purchases, and see how well it predicts.",
    "override": "Set a customer's tier by hand, take that back, match a standing elsewhere.",
    "model": "Show and activate churn models.",
    "project": "Carry the newest profiles into Redis.",
    "redis": "Compare Redis with the profiles in Kafka, and write it again.",
    "schemas": "Look at the event types and write their JSON Schemas.",
    "doctor": "Look for what is wrong, and say what to do about it.",
    "docs": "Read the documentation.",
    "bench": "Measure throughput and delay on this machine.",
}
"""Name to help line; `agents.cli.NAME:app`, with _ for -, is the command."""


HELP = """\
Streaming customer tiering: purchases, browsing and support events in, changes of tier and risk out.

Start here: tierstream demo, then tierstream init. Every command shows an example with --help.
"""


def root(*, with_help_lines: bool) -> App:
    """The top of the command line. Help lines given here would replace a command's own help: only for the list."""
    app = App(
        name="tierstream",
        help=HELP,
        help_format="plaintext",  # rendering Markdown would double the time that --help takes
        version=_version,
        result_action="return_value",
        sort_key=lambda _: 0,
    )
    for name, line in COMMANDS.items():
        app.command(f"agents.cli.{name.replace('-', '_')}:app", name=name, help=line if with_help_lines else None)
    return app


def _version() -> str:
    from agents.build import version_text  # only who asks waits for the fold to be imported

    return version_text()


def main() -> None:
    """Run the command of `sys.argv` and exit with its code."""
    logging.getLogger().addHandler(logging.NullHandler())  # a library's warnings are not for the terminal
    try:
        code = run(sys.argv[1:])
    except KeyboardInterrupt:
        sys.stderr.write("\nInterrupted.\n")
        code = INTERRUPTED_EXIT_CODE
    except BrokenPipeError:  # the reader of our output, such as `head`, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 0
    sys.exit(code)


def run(arguments: list[str]) -> int:
    """Run a command; returns its exit code. Bugs leave here as exceptions, and so does Ctrl-C."""
    named = next((word for word in arguments if not word.startswith("-")), None)
    if named is not None and named not in COMMANDS:
        return _refuse(_unknown(named), USAGE_EXIT_CODE)
    try:
        return int(root(with_help_lines=named is None)(arguments, exit_on_error=False) or 0)
    except CycloptsError:  # cyclopts has printed what is wrong
        return USAGE_EXIT_CODE
    except TierstreamError as error:
        return _refuse(str(error), error.exit_code)
    except OSError as error:
        told = told_of_disk(error)
        if told is None:
            raise
        return _refuse(str(told), told.exit_code)
    except ImportError as error:
        if not str(error).startswith("Cannot import module 'agents.cli."):
            raise
        return _refuse(f"`{named}` is not part of this installation: {error.__cause__}", USAGE_EXIT_CODE)


def _refuse(text: str, exit_code: int) -> int:
    print(text, file=sys.stderr)  # noqa: T201 - the command line speaks
    return exit_code


def _unknown(name: str) -> str:
    near = difflib.get_close_matches(name, COMMANDS, n=1)
    meant = f" Did you mean `{near[0]}`?" if near else ""
    return f"There is no command `{name}`.{meant}\n  next:  tierstream --help"
