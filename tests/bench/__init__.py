"""Measurements: how fast the site does its work, beside something that does the least of it."""
