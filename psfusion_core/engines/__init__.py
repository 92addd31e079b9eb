"""Engines: how a network is run (`engine_choice` has them by name).

This file imports nothing, so that the node loads PyTorch only with its network.
"""
