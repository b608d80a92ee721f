"""Diagnostics of a panel regression: collinearity, effects, residuals, neighbours, and what each test is worth."""
