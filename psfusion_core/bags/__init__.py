"""Recorded bags without ROS: read, paired as the node pairs, fused, and written with the results."""
