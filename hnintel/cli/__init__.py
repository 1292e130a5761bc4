"""The sub-commands of ``python -m hnintel``: one file each, listed in hnintel/cli/app.py."""
