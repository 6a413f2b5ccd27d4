"""Figures and pages. They draw what they are given and compute no statistics."""
