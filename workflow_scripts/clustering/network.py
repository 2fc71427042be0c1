"""The network of Deep Embedded Clustering: an autoencoder, and group centres in its latent space.

Stochastic gradient descent with momentum on Keras layers; loops over batches, and assignments, are compiled. Every
random number comes from a numpy Generator, so that a seed means the same weights and batches in every version of the
library.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Singles = NDArray[np.float32]
Rows = NDArray[np.int32]

_AT_ONCE = 65_536  # stars encoded in one pass


class Network:
    """Autoencoder with layers of sizes[0] (features) ... sizes[-1] (latent) and back, and n_groups centres.

    What is compiled serves any number of seeds: restart draws new weights.
    """

    def __init__(self, sizes: Sequence[int], n_groups: int, learning_rate: float, momentum: float) -> None:
        """Build the layers: ReLU but for the latent layer and the output (Xie 2016)."""
        import tensorflow as tf

        self._encoder, self._decoder = _layers(sizes), _layers(sizes[::-1])
        self._centres = tf.Variable(tf.zeros((n_groups, sizes[-1])))
        self._rate, self._momentum = learning_rate, momentum
        self._speeds = {id(w): tf.Variable(tf.zeros(w.shape)) for w in (*self._weights(), self._centres)}
        x, rows, target = (
            tf.TensorSpec((None, sizes[0])),
            tf.TensorSpec((None, None), tf.int32),
            tf.TensorSpec((None, n_groups)),
        )
        self._assignment = tf.function(self._soft, input_signature=[x], jit_compile=False)
        self._rebuild_batches = tf.function(self._rebuild, input_signature=[x, rows], jit_compile=False)
        self._approach_batches = tf.function(self._approach, input_signature=[x, rows, target], jit_compile=False)

    def restart(self, rng: np.random.Generator) -> None:
        """Draw weights from a uniform distribution of variance 1 / (3 fan-in), as Alvaro 2020's code; biases zero."""
        for weight in self._weights():
            limit = 1 / np.sqrt(weight.shape[0])
            drawn = rng.uniform(-limit, limit, weight.shape)
            weight.assign(drawn if len(weight.shape) == 2 else np.zeros(weight.shape))

    def pretrain(self, x: Singles, epochs: int, batch: int, rng: np.random.Generator) -> float:
        """Train the autoencoder on x (n, d); mean squared error of the last epoch, maybe not finite."""
        self._stand_still()
        loss = np.inf
        for _ in range(epochs):
            loss = float(self._rebuild_batches(x, batches(rng.permutation(len(x)), batch)))
            if not np.isfinite(loss):
                break
        self._stand_still()
        return loss

    def refine(self, x: Singles, rows: Rows, target: Singles) -> float:
        """Move encoder and centres towards target (n, k), batch after batch of rows (b, size) of x; the mean loss."""
        return float(self._approach_batches(x, rows, target))

    def encode(self, x: Singles) -> Singles:
        """Give the latent coordinates (n, latent) of x (n, d)."""
        return np.concatenate([self._encoder(x[i : i + _AT_ONCE]).numpy() for i in range(0, len(x), _AT_ONCE)])

    def centre_on(self, centres: Singles) -> None:
        """Put the groups' centres (k, latent)."""
        self._centres.assign(centres)

    def assign(self, x: Singles) -> Singles:
        """Give the assignment q (n, k) of x (n, d) to the groups; rows sum to 1."""
        return np.concatenate([self._assignment(x[i : i + _AT_ONCE]).numpy() for i in range(0, len(x), _AT_ONCE)])

    def _weights(self) -> list[Any]:
        return [w.value for w in (*self._encoder.trainable_variables, *self._decoder.trainable_variables)]

    def _soft(self, x: Any) -> Any:
        import tensorflow as tf

        latent = self._encoder(x)
        lengths = tf.reduce_sum(tf.square(latent), axis=1, keepdims=True) + tf.reduce_sum(tf.square(self._centres), 1)
        squares = tf.maximum(lengths - 2 * tf.matmul(latent, self._centres, transpose_b=True), 0)
        closeness = 1 / (1 + squares)  # Student's t, one degree of freedom
        return closeness / tf.reduce_sum(closeness, axis=1, keepdims=True)

    def _rebuild(self, x: Any, rows: Any) -> Any:
        import tensorflow as tf

        total = tf.constant(0.0)
        for batch in rows:
            part = tf.gather(x, batch)
            with tf.GradientTape() as tape:
                loss = tf.reduce_mean(tf.square(self._decoder(self._encoder(part)) - part))
            self._descend(tape, loss, self._weights())
            total += loss
        return total / tf.cast(len(rows), tf.float32)

    def _approach(self, x: Any, rows: Any, target: Any) -> Any:
        import tensorflow as tf

        weights = [*(w.value for w in self._encoder.trainable_variables), self._centres]
        total = tf.constant(0.0)
        for batch in rows:
            p = tf.gather(target, batch)
            with tf.GradientTape() as tape:
                q = self._soft(tf.gather(x, batch))
                loss = tf.reduce_mean(tf.reduce_sum(tf.math.xlogy(p, p) - p * tf.math.log(q), axis=1))
            self._descend(tape, loss, weights)
            total += loss
        return total / tf.cast(len(rows), tf.float32)

    def _descend(self, tape: Any, loss: Any, weights: list[Any]) -> None:
        for weight, slope in zip(weights, tape.gradient(loss, weights), strict=True):
            speed = self._speeds[id(weight)]
            weight.assign_add(speed.assign(self._momentum * speed - self._rate * slope))

    def _stand_still(self) -> None:
        for speed in self._speeds.values():
            speed.assign(np.zeros(speed.shape))


def batches(order: NDArray[np.integer], size: int) -> Rows:
    """Cut an order of rows (n,) into batches (b, size); the last one is filled up from the start of the order."""
    return np.resize(order, (-(-len(order) // size), size)).astype(np.int32)


def _layers(widths: Sequence[int]) -> Any:
    import keras

    activations = ["relu"] * (len(widths) - 2) + ["linear"]
    layers = [keras.layers.Dense(n, activation=a) for n, a in zip(widths[1:], activations, strict=True)]
    return keras.Sequential([keras.Input((widths[0],)), *layers])
