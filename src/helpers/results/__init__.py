"""The one door out of a notebook for numbers."""
