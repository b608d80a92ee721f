"""A run compared with a reference, explained, and written up for those who review it."""
