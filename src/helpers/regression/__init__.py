"""Indices -> models: least squares on a panel, the ladder, its neighbours, its specification tests."""
