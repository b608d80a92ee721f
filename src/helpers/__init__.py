"""Helpers of the study notebooks: raw files -> panel -> indices -> models -> results -> claims -> report."""
