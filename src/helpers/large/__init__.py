"""Panels that do not fit into memory: read, checked, indexed and fitted on disk."""
