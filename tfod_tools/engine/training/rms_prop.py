"""Makes `rms_prop_optimizer.decay` the decay of the mean of squared gradients, as the config's schema says."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from tfod_tools.engine.training.replacing import replaced


@contextlib.contextmanager
def decay_of_the_mean() -> Iterator[None]:
    """Makes the engine's TF2 style build RMSProp as its TF1 style does.

    The engine passes the field, 0.9 by default, as Keras' `decay`. This divides the learning rate by 1 + 0.9 * step:
    after a thousand steps it is a thousandth, but TensorBoard still shows the configured learning rate.
    """
    import tensorflow.compat.v1 as tf

    rms_prop = tf.keras.optimizers.RMSprop

    def with_rho(learning_rate: Any, *, decay: float, **kwargs: Any) -> Any:
        return rms_prop(learning_rate, rho=decay, **kwargs)

    with replaced(tf.keras.optimizers, "RMSprop", with_rho):
        yield
