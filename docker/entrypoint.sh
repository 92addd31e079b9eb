#!/usr/bin/env bash
# Runs a command with ROS, this package and its Fast DDS profile.
set -eo pipefail

# shellcheck source=/dev/null
source "/opt/ros/${ROS_DISTRO}/setup.bash"
# shellcheck source=/dev/null
source /opt/psfusion/install/setup.bash

profile=/opt/psfusion/install/psfusion_ros/share/psfusion_ros/config/fastdds.xml
case "${ROS_DISTRO}" in
  humble | jazzy) export FASTRTPS_DEFAULT_PROFILES_FILE="${FASTRTPS_DEFAULT_PROFILES_FILE:-${profile}}" ;;
  *) export FASTDDS_DEFAULT_PROFILES_FILE="${FASTDDS_DEFAULT_PROFILES_FILE:-${profile}}" ;;
esac

exec "$@"
