"""Augmentation of batches on their device: random crops of all planes, and variation of the images."""
