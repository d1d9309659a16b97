"""`python -m agents.cli`: the command line where the console script is not installed."""

from agents.cli import main

main()
