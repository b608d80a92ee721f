"""Kernels of this very environment: what they start with, from what they are forked, how papermill drives them."""
