"""The training pipeline: configuration, data, losses, loop."""
