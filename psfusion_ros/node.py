"""The fusion node: visible and infrared image topics in, fused images and class masks out.

A managed node: configuring loads and warms the model, activating subscribes, deactivating frees the
subscriptions, cleaning up frees the model and the memory of its device. `psfusion_ros.pipeline` has the rest.
"""

from __future__ import annotations

import signal
from collections.abc import Callable
from typing import Any

import rclpy
import rclpy.logging
from rclpy.exceptions import ParameterException
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn
from rclpy.parameter import Parameter
from std_srvs.srv import SetBool

from psfusion_core.base.wording import one_line
from psfusion_core.fusion.recovery import PairFuser
from psfusion_ros.diagnostics import Diagnostics
from psfusion_ros.live_parameters import LiveParameters
from psfusion_ros.node_parameters import Parameters
from psfusion_ros.pipeline import MakeFuser, Pipeline

SUCCESS, FAILURE = TransitionCallbackReturn.SUCCESS, TransitionCallbackReturn.FAILURE


def _make_fuser(**settings: Any) -> PairFuser:
    from psfusion_core.fusion.fuser import Fuser  # late: PyTorch takes seconds to import

    return Fuser(**settings)


class PsfusionNode(LifecycleNode):
    """The fusion node and its life cycle."""

    def __init__(self, make_fuser: MakeFuser = _make_fuser) -> None:
        """Declare the parameters; nothing is loaded before the node is configured.

        Args:
            make_fuser: makes the engine from `model`, `weights`, `device`, `engine` and `precision`.

        Raises:
            ValueError: parameters that make no sense.
            rclpy.exceptions.ParameterException: a parameter is out of range.
        """
        super().__init__("psfusion_node")
        self._make_fuser = make_fuser
        self._pipeline: Pipeline | None = None
        self._state = "unconfigured"
        self._live = LiveParameters(self, lambda: self._pipeline is None, self._retune)
        self._diagnostics = Diagnostics(
            self, self.parameters.diagnostics_period, lambda: self.parameters, lambda: self._state
        )
        self.create_service(SetBool, "~/set_enabled", self._set_enabled)

    @property
    def parameters(self) -> Parameters:
        return self._live.values

    def autostart(self) -> None:
        """Configure and activate, unless a parameter leaves that to a lifecycle manager."""
        if self.parameters.autostart and self.trigger_configure() == SUCCESS:
            self.trigger_activate()

    def stop(self) -> None:
        """End the work, after the pair in hand; works after ROS was shut down too."""
        if self._pipeline is not None:
            self._pipeline.stop()

    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        def load() -> None:
            self.get_logger().info(f"loading {self.parameters.model}; the first time may take a minute")
            self._pipeline = Pipeline(self, self.parameters, self._make_fuser)
            self._diagnostics.sources = self._pipeline

        return self._attempt("configure", load, "inactive")

    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        return self._attempt("activate", self._configured().open, "active")

    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        self._state = "inactive"
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
        return SUCCESS  # what is wrong can be mended, and the node be configured once more

    def _attempt(self, what: str, action: Callable[[], None], reached: str) -> TransitionCallbackReturn:
        """Do what a transition asks for; where it cannot be done, say why and leave the state as it was."""
        try:
            action()
        except Exception as error:  # rclpy would swallow it without a word
            if not self.context.ok():  # told to stop meanwhile: what needs the context failed, as it must
                return FAILURE
            self._diagnostics.failure = f"cannot {what}: {one_line(error)}"
            self.get_logger().error(self._diagnostics.failure)
            return FAILURE
        self._diagnostics.failure = ""
        self._state = reached
        return SUCCESS

    def _configured(self) -> Pipeline:
        assert self._pipeline is not None, "the state machine configures first"
        return self._pipeline

    def _free(self, reached: str) -> None:
        self._state = reached
        self._diagnostics.sources = None
        pipeline, self._pipeline = self._pipeline, None
        if pipeline is not None:
            pipeline.close()
            pipeline.free()

    def _retune(self, parameters: Parameters) -> None:
        if self._pipeline is not None:
            self._pipeline.retune(parameters)

    def _set_enabled(self, request: SetBool.Request, response: SetBool.Response) -> SetBool.Response:
        (result,) = self.set_parameters([Parameter("enabled", value=request.data)])
        response.success = result.successful
        response.message = result.reason or ("enabled" if request.data else "disabled")
        self.get_logger().info(f"fusion {response.message}")
        return response


def run(args: list[str] | None = None, make_fuser: MakeFuser = _make_fuser) -> int:
    """Run the node until SIGINT or SIGTERM; return the exit status, 0 after either."""
    # rclpy's own handlers end the spinning; without Python's, no KeyboardInterrupt can hit the clean-up.
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
        if not rclpy.ok():  # told to stop while starting: what needs the context failed, as it must
            return 0
        rclpy.logging.get_logger("psfusion_node").fatal(one_line(error))
        return 1
    try:
        node.autostart()
        executor.spin()
    except (ExternalShutdownException, RuntimeError):  # the latter where a signal came as spinning began
        if rclpy.ok():
            raise
    finally:
        node.stop()
        node.destroy_node()
    return 0
