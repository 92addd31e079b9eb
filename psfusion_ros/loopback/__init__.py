"""Processes with ROS nodes that are started, watched and heard on this machine only."""
