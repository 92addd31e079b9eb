"""Measures how fast the engines are on this machine, and how much memory they take."""
