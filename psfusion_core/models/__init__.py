"""The networks by name (`networks`), their parts and checkpoints, and the classes that they distinguish.

This file imports nothing, so that a program that needs `classes` alone does not load PyTorch.
"""
