"""Policies and neighbours: difference in differences, event studies, spatial models."""
