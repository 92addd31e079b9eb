"""Basics for every other package: files written whole or not at all, and the wording of messages."""
