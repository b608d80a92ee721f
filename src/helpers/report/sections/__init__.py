"""Sections of the page that are built from results: first screen, ledger, cards, explorer."""
