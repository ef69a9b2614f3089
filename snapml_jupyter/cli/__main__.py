"""`python -m snapml_jupyter.cli`: the same as `snapml`, for where the script is not on the path."""

from .main import main

main(prog_name="snapml")
