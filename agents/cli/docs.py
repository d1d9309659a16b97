"""`tierstream docs`: the documentation, in the terminal."""

from typing import Annotated

from cyclopts import App, Parameter
from rich.markdown import Markdown

from agents.cli.options import AsJson, out, print_json, print_table, say
from agents.manual import page, pages, section

app = App(name="docs")

Asked = Annotated[str | None, Parameter(help="A page, or a part of one: runbook, reference/doctor, doctor#redis.")]


@app.default
def docs(asked: Asked = None, /, *, json: AsJson = False) -> None:
    """List the pages, or show one: set for reading on a terminal, as Markdown otherwise.

    Example: tierstream docs doctor#retention
    """
    if asked is None:
        found = list(pages())
        if json:
            print_json([{"name": each.name, "title": each.title} for each in found])
        else:
            print_table(("page", "title"), ((each.name, each.title) for each in found))
            say("\nTo read one: tierstream docs PAGE")
        return
    name, _, anchor = asked.partition("#")
    wanted = page(name)
    text = section(wanted, anchor) if anchor else wanted.text
    if json:
        print_json({"name": wanted.name, "title": wanted.title, "text": text})
    elif out.is_terminal:
        out.print(Markdown(text), soft_wrap=False)
    else:
        out.file.write(text)
