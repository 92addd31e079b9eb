"""Starts and watches processes with ROS nodes that communicate on this machine only."""
