"""`python -m hessbench`: the command line."""

from hessbench.cli import main

main()
