"""What ``psfusion doctor`` looks at on any machine; ``psfusion_ros.doctor`` adds what needs ROS."""
