"""`tensorflow.contrib.opt.MovingAverageOptimizer`."""

from typing import Any


def moving_average_optimizer() -> Any:
    """The class. A function makes it, because its base class needs TensorFlow."""
    import tensorflow.compat.v1 as tf

    class MovingAverageOptimizer(tf.train.Optimizer):  # type: ignore[misc]
        """An optimizer that also keeps an exponential moving average of every variable that it trains.

        The averages are the variables `<variable>/ExponentialMovingAverage`. The engine's evaluation and export read
        them when `eval_config.use_moving_averages` is set.
        """

        def __init__(
            self, opt: Any, average_decay: float = 0.9999, num_updates: Any = None, sequential_update: bool = True
        ) -> None:
            self._optimizer = opt
            self._ema = tf.train.ExponentialMovingAverage(average_decay, num_updates=num_updates)
            self._sequential_update = sequential_update

        def compute_gradients(self, *args: Any, **kwargs: Any) -> Any:
            return self._optimizer.compute_gradients(*args, **kwargs)

        def apply_gradients(self, grads_and_vars: Any, global_step: Any = None, name: str | None = None) -> Any:
            pairs = list(grads_and_vars)
            trained = [variable for gradient, variable in pairs if gradient is not None]
            train_op = self._optimizer.apply_gradients(pairs, global_step=global_step, name=name)
            with tf.control_dependencies([train_op] if self._sequential_update else []):
                average_op = self._ema.apply(trained)
            return tf.group(train_op, average_op)

        def get_slot(self, *args: Any, **kwargs: Any) -> Any:
            return self._optimizer.get_slot(*args, **kwargs)

        def get_slot_names(self) -> Any:
            return self._optimizer.get_slot_names()

        def variables(self) -> Any:
            return self._optimizer.variables()

    return MovingAverageOptimizer
