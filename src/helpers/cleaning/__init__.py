"""The panel checked: gaps and declared rules, contract, breaks in series, derived columns, the sample."""
