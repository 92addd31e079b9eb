"""The checks of ``psfusion doctor`` for any machine; ``psfusion_ros.doctor`` has those that need ROS."""
