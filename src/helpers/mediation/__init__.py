"""Through which channels: paths, indirect effects, their intervals and their sensitivity."""
