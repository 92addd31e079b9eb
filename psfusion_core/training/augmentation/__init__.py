"""Augmentation of batches on their device: geometry of all planes jointly, and what robots' cameras do."""
