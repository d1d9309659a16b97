"""`tierstream explain`: why one customer stands where they stand."""

import unicodedata
from typing import Annotated

from cyclopts import App, Parameter

from agents.cli.customer_past import IndexFolder, InputFile, PastOptions, PolicyOption, explain_at
from agents.cli.options import AsJson, ConfigPath, instant_of, print_json, say, settings_of
from streams.explain.words import lines_of
from streams.policy.condition_words import Language

UNKNOWN_EXIT_CODE = 1
INDENT = "  "

app = App(name="explain")


@app.default
def explain(
    customer_id: Annotated[str, Parameter(help="The customer's id, as the events have it.")],
    /,
    *,
    at: Annotated[
        str | None, Parameter(help="An instant with its offset; by default as far as the journal's time has passed.")
    ] = None,
    language: Annotated[Language, Parameter(help="Language of the sentences.")] = "en",
    policy: PolicyOption = None,
    journal: InputFile = None,
    index: IndexFolder = None,
    config: ConfigPath = None,
    json: AsJson = False,
) -> int:
    """Tell why a customer has their tier and risk, by which of their events, and what would change it.

    Read from the journal, and checked: every value is added up again from the events shown, and every decision follows
    from these values; if not, that is an error. Exit code 1 for nobody.

    Example: tierstream explain c1 --at 2026-03-31T23:59:59+08:00
    """
    settings = settings_of(config)
    key = unicodedata.normalize("NFC", customer_id).encode()
    found = explain_at(settings, key, instant_of(at, "--at"), PastOptions(policy, journal, index, json))
    if found is None:
        say(f"Nothing was known of {customer_id!r}{f' at {at}' if at else ''}.")
        return UNKNOWN_EXIT_CODE
    if json:
        print_json(found)
    else:
        for line in lines_of(found, language):
            say(INDENT * line.depth + line.text)
    return 0
