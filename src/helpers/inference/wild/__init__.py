"""The wild cluster bootstrap: its tests, the signs that are drawn, and what a sign of a cluster changes."""
