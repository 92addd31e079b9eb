"""Fuses pairs of frames to pictures: `Fuser`, the pictures of a network's outputs, and the parameters."""
