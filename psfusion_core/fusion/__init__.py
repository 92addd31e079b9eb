"""From a pair of frames to pictures: `Fuser`, what it composes of a network's outputs, and its parameters."""
