"""How sure: wild bootstrap, few-cluster corrections, the standard-error passport, size and power."""
