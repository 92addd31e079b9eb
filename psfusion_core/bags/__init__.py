"""Recorded bags without ROS: reading, pairing as in the node, fusing, and writing bags with the results."""
