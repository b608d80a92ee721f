"""Where the command stood before; an environment that was made then still calls it here."""

from importlib import import_module

main = import_module("helpers.cli").main
