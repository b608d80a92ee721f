"""The study's own simulation: size, coverage and power of each way of inference at its number of units and periods."""
