"""The fusion node: visible and infrared image topics in, fused images and class masks out.

This is a managed node. Configuring loads the model and warms it up, activating subscribes, deactivating
destroys the subscriptions, and cleaning up frees the model and the memory of its device. The parts between
the subscriptions and the publishers are in `psfusion_ros.pipeline`.
"""

from __future__ import annotations

import signal
from collections.abc import Callable
from typing import Any

import rclpy
import rclpy.logging
from rcl_interfaces.msg import SetParametersResult
from rclpy.exceptions import ParameterException
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn
from rclpy.parameter import Parameter
from std_srvs.srv import SetBool

from psfusion_core.base.wording import one_line
from psfusion_core.fusion.pair_fuser import PairFuser
from psfusion_ros.diagnostics import Diagnostics
from psfusion_ros.live_parameters import change_parameters, declare_parameters
from psfusion_ros.pipeline import MakeFuser, Pipeline

SUCCESS, FAILURE = TransitionCallbackReturn.SUCCESS, TransitionCallbackReturn.FAILURE


def _make_fuser(**settings: Any) -> PairFuser:
    from psfusion_core.fusion.fuser import Fuser  # imported late because PyTorch takes seconds to import

    return Fuser(**settings)


class PsfusionNode(LifecycleNode):
    """The fusion node and its life cycle.

    Attributes:
        parameters: The current parameters, replaced as a whole by each change.
    """

    def __init__(self, make_fuser: MakeFuser = _make_fuser) -> None:
        """Declare the parameters; the model is loaded when the node is configured.

        Args:
            make_fuser: Creates a fuser from `model`, `weights`, `device`, `engine` and `precision`.

        Raises:
            ValueError: A parameter has the wrong type, is not one of its choices, or contradicts another one.
            rclpy.exceptions.ParameterException: A parameter is out of range.
        """
        super().__init__("psfusion_node")
        self._make_fuser = make_fuser
        self._pipeline: Pipeline | None = None
        self.parameters = declare_parameters(self)
        self._diagnostics = Diagnostics(self, self.parameters)
        self.add_on_set_parameters_callback(self._change_parameters)
        self.create_service(SetBool, "~/set_enabled", self._set_enabled)

    def autostart(self) -> None:
        """Configure and activate, unless the parameter autostart leaves that to a lifecycle manager."""
        if self.parameters.autostart and self.trigger_configure() == SUCCESS:
            self.trigger_activate()

    def stop(self) -> None:
        """End the work after the current pair; this also works after ROS has shut down."""
        if self._pipeline is not None:
            self._pipeline.stop()

    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        def load() -> None:
            self.get_logger().info(f"loading {self.parameters.model}; the first time may take a minute")
            self._pipeline = Pipeline(self, self.parameters, self._make_fuser)
            self._diagnostics.pipeline = self._pipeline

        return self._attempt("configure", load, "inactive")

    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        return self._attempt("activate", self._configured().open, "active")

    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        self._diagnostics.state = "inactive"
        self._configured().close()
        self.get_logger().info("deactivated: the subscriptions are freed")
        return SUCCESS

    def on_cleanup(self, state: LifecycleState) -> TransitionCallbackReturn:
        self._free("unconfigured")
        self.get_logger().info("cleaned up: the model and its memory are freed")
        return SUCCESS

    def on_shutdown(self, state: LifecycleState) -> TransitionCallbackReturn:
        self._free("finalized")
        return SUCCESS

    def on_error(self, state: LifecycleState) -> TransitionCallbackReturn:
        self._free("unconfigured")
        return SUCCESS  # the user can fix the problem and configure the node again

    def _attempt(self, what: str, action: Callable[[], None], new_state: str) -> TransitionCallbackReturn:
        """Run the action of a transition; if it fails, log why and leave the state unchanged."""
        try:
            action()
        except Exception as error:  # rclpy would swallow it silently
            if not self.context.ok():  # a signal shut ROS down, so this failure is expected
                return FAILURE
            self._diagnostics.failure = f"cannot {what}: {one_line(error)}"
            self.get_logger().error(self._diagnostics.failure)
            return FAILURE
        self._diagnostics.failure = ""
        self._diagnostics.state = new_state
        return SUCCESS

    def _configured(self) -> Pipeline:
        assert self._pipeline is not None, "the life cycle configures before it activates"
        return self._pipeline

    def _free(self, new_state: str) -> None:
        self._diagnostics.state = new_state
        self._diagnostics.pipeline = None
        pipeline, self._pipeline = self._pipeline, None
        if pipeline is not None:
            pipeline.close()
            pipeline.free()

    def _change_parameters(self, changes: list[Parameter[Any]]) -> SetParametersResult:
        """Apply all changes, or apply none and return the reason."""
        try:
            parameters = change_parameters(self.parameters, changes, self._pipeline is None)
        except ValueError as error:
            return SetParametersResult(successful=False, reason=str(error))
        self.parameters = self._diagnostics.parameters = parameters
        if self._pipeline is not None:
            self._pipeline.retune(parameters)
        return SetParametersResult(successful=True)

    def _set_enabled(self, request: SetBool.Request, response: SetBool.Response) -> SetBool.Response:
        (result,) = self.set_parameters([Parameter("enabled", value=request.data)])
        response.success = result.successful
        response.message = result.reason or ("enabled" if request.data else "disabled")
        self.get_logger().info(f"fusion {response.message}")
        return response


def run(args: list[str] | None = None, make_fuser: MakeFuser = _make_fuser) -> int:
    """Run the node until SIGINT or SIGTERM; return the exit status, which is 0 after either."""
    # rclpy's own handlers end the spinning. Python's handler is disabled so that KeyboardInterrupt cannot
    # interrupt the clean-up.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    rclpy.init(args=args)
    try:
        return _spin(make_fuser)
    finally:
        rclpy.try_shutdown()


def _spin(make_fuser: MakeFuser) -> int:
    try:
        node = PsfusionNode(make_fuser)
        executor = SingleThreadedExecutor()
        executor.add_node(node)
    except (ValueError, RuntimeError, ParameterException) as error:
        if not rclpy.ok():  # a signal shut ROS down during the start, so this failure is expected
            return 0
        rclpy.logging.get_logger("psfusion_node").fatal(one_line(error))
        return 1
    try:
        node.autostart()
        executor.spin()
    except (ExternalShutdownException, RuntimeError):  # RuntimeError if a signal arrives as spinning begins
        if rclpy.ok():
            raise
    finally:
        node.stop()
        node.destroy_node()
    return 0
