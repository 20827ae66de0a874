"""`python -m opendpr`."""

from opendpr.cli import main

main()
