"""Measuring of models; needs no torch."""
