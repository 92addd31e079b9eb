"""The checks of ``psfusion doctor`` for any machine; ``psfusion_ros.doctor`` has those that need ROS.

`check_list` has the checks in order, and `check` defines their argument and result. They are in
`python_packages`, `ros_installation`, `engine_checks`, `cache_folder` and, for DDS, in `fastdds_profile`,
`dds_shared_memory` and `dds_socket_buffers`. `child` isolates crashes; `doctor_report` prints the findings.
"""
