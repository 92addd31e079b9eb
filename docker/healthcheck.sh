#!/usr/bin/env bash
# Healthy: the node publishes diagnostics, and its engine is not in error. A camera that is off is no reason to restart.
set -eo pipefail

engine_works="any(s.name == 'psfusion_node: engine' and s.level != b'\x02' for s in m.status)"
exec timeout 15 entrypoint.sh \
  ros2 topic echo --once --filter "${engine_works}" /diagnostics diagnostic_msgs/msg/DiagnosticArray > /dev/null
