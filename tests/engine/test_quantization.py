"""Quantisation-aware training in TF1 style: `tensorflow.contrib.quantize` as the engine's graph_rewriter uses it."""

import pytest
from support import engine_child

pytestmark = pytest.mark.engine

# Batch normalisation with and without a dilation, a residual addition, a concatenation, pooling, and a layer with
# neither normalisation nor activation function.
NETWORK = """
import re
import numpy as np
import tensorflow.compat.v1 as tf
import tf_slim as slim
from tensorflow.contrib import quantize

IMAGES = np.random.default_rng(0).integers(0, 256, (4, 16, 16, 3)).astype(np.float32) / 128 - 1

def network(images, is_training, updates=tf.GraphKeys.UPDATE_OPS):
    norm = dict(is_training=is_training, scale=True, decay=0.8, updates_collections=updates)
    layers = [slim.conv2d, slim.separable_conv2d]
    with slim.arg_scope(layers, normalizer_fn=slim.batch_norm, normalizer_params=norm, activation_fn=tf.nn.relu6):
        first = slim.conv2d(images, 8, 3, stride=2, scope="first")
        net = slim.separable_conv2d(first, None, 3, rate=2, scope="depthwise")
        net = slim.conv2d(net, 8, 1, activation_fn=None, scope="project") + first
        net = tf.concat([slim.conv2d(net, 4, 3, scope="branch"), slim.max_pool2d(net, 3, 1, "SAME")], 3)
    return slim.conv2d(net, 5, 1, activation_fn=None, normalizer_fn=None, scope="out")

def train(session, result, steps, learning_rate):
    loss = tf.reduce_mean((result - 1) ** 2)
    step = tf.train.get_or_create_global_step()
    optimizer = tf.train.GradientDescentOptimizer(learning_rate)
    train_op = slim.learning.create_train_op(loss, optimizer, global_step=step)
    session.run(tf.global_variables_initializer())
    rng = np.random.default_rng(1)
    for variable in sorted(tf.trainable_variables(), key=lambda variable: variable.op.name):
        variable.load(0.3 * rng.normal(size=variable.shape) + variable.op.name.endswith("gamma"), session)
    return [session.run([train_op, result]) for _ in range(steps)]

def values(session):
    return {variable.op.name: session.run(variable) for variable in tf.global_variables()}

def restored(variables, session):
    for variable in tf.global_variables():
        variable.load(variables[variable.op.name], session)
"""

# A network whose averages and ranges have come to rest, and what evaluation makes of the images.
AT_REST = """
with tf.Graph().as_default(), tf.Session() as session:
    result = tf.identity(network(tf.constant(IMAGES), True))
    quantize.create_training_graph()
    train(session, result, 60, 0.0)
    trained = values(session)

def evaluated(rewrite):
    with tf.Graph().as_default(), tf.Session() as session:
        result = tf.identity(network(tf.constant(IMAGES), False))
        rewrite()
        restored(trained, session)
        return session.run(result)

step = (trained["out/act_quant/max"] - trained["out/act_quant/min"]) / 255
as_float = evaluated(lambda: None)
"""


def _run(code: str) -> None:
    child = engine_child.run("tf1", code)
    assert child.returncode == 0, child.stderr[-3000:]


@pytest.mark.parametrize("resource", [False, True], ids=["references", "resources"])
@pytest.mark.parametrize("updates", ["tf.GraphKeys.UPDATE_OPS", "None"], ids=["collected", "inline"])
def test_training_is_as_without_while_quantisation_is_delayed(updates: str, resource: bool) -> None:
    _run(f"""{NETWORK}
def trained(rewrite):
    with tf.Graph().as_default(), tf.Session() as session, tf.variable_scope("", use_resource={resource}):
        result = tf.identity(network(tf.constant(IMAGES), True, {updates}))
        rewrite()
        losses = [loss for loss, _ in train(session, result, 8, 0.1)]
        return losses, values(session)

plain, plain_variables = trained(lambda: None)
delayed, variables = trained(lambda: quantize.create_training_graph(quant_delay=100))
assert plain[-1] < plain[0] / 2
np.testing.assert_allclose(delayed, plain, rtol=1e-5)
# All weights, so all gradients, and the moving averages.
for name, value in plain_variables.items():
    np.testing.assert_allclose(variables[name], value, rtol=1e-3, atol=1e-5, err_msg=name)
assert not np.allclose(variables["first/BatchNorm/moving_variance"], 1, atol=0.1)

at_once, _ = trained(quantize.create_training_graph)
assert at_once[-1] < at_once[0] / 2 and not np.allclose(at_once, plain, rtol=1e-5)
""")


def test_quantisation_begins_after_the_delay_and_ranges_are_learned_before() -> None:
    _run(f"""{NETWORK}
with tf.Graph().as_default(), tf.Session() as session:
    result = network(tf.constant(IMAGES), True)
    after = tf.identity(result)
    quantize.experimental_create_training_graph(quant_delay=3)
    bias = session.graph.get_tensor_by_name("out/BiasAdd:0")
    seen = [results for _, results in train(session, after, 5, 0.1)]
    ranges = values(session)
assert [len(np.unique(step)) <= 256 for step in seen] == [False, False, False, True, True]
# The average of five steps, which a decay close to 1 weighs alike.
for name, of in (("min", np.min), ("max", np.max)):
    np.testing.assert_allclose(ranges[f"out/act_quant/{{name}}"], np.mean([of(step) for step in seen[:3]]), rtol=0.3)
assert ranges["first/act_quant/min"] == 0 and 0 < ranges["first/act_quant/max"] <= 6.001
assert ranges["first/weights_quant/min"] < 0 < ranges["first/weights_quant/max"] != 6
""")


def test_evaluation_has_the_variables_of_training() -> None:
    _run(f"""{NETWORK}
def names(is_training, rewrite):
    with tf.Graph().as_default():
        if is_training:
            # Names of operations outside of layers depend on what else a graph holds.
            tf.concat([IMAGES, IMAGES], 0) + 1
        network(tf.constant(IMAGES), is_training)
        rewrite()
        return {{variable.op.name for variable in tf.global_variables()}}

training, evaluation = names(True, quantize.create_training_graph), names(False, quantize.create_eval_graph)
assert evaluation <= training
assert {{name.rpartition("/")[2] for name in training - evaluation}} == {{"biased", "local_step"}}
layers = ("first", "depthwise", "project", "branch", "out")
ranges = {{f"{{layer}}/{{kind}}_quant" for layer in layers for kind in ("weights", "act")}}
ranges |= {{"project/add_quant", "branch/concat_quant"}}
assert {{name.rpartition("/")[0] for name in evaluation if name.endswith("/min")}} == ranges
""")


def test_folding_alone_does_not_change_evaluation() -> None:
    # 16 bits are the most that the operation knows: what remains is 1 / 257 of the error of 8 bits. A range is an
    # average, which cuts values off; those of this test are wide enough for all.
    _run(f"""{NETWORK}{AT_REST}
trained.update({{name: 1.25 * value for name, value in trained.items() if re.search("_quant/m(in|ax)$", name)}})
fine = evaluated(lambda: quantize.experimental_create_eval_graph(weight_bits=16, activation_bits=16))
np.testing.assert_allclose(fine, as_float, atol=step / 10)
assert as_float.std() > 20 * step
""")


def test_evaluation_in_8_bits_is_close_to_float() -> None:
    _run(f"""{NETWORK}{AT_REST}
quantised = evaluated(quantize.create_eval_graph)
assert len(np.unique(quantised)) <= 256
error = np.abs(quantised - as_float)
# Half a step at the end, and what five layers of quantised weights and activations add up to.
assert step / 8 < error.mean() < 1.5 * step and error.max() < 6 * step, (error.mean() / step, error.max() / step)
""")


def test_one_layer_errs_by_at_most_its_quantisation_steps() -> None:
    _run(f"""{NETWORK}
def layer(is_training):
    norm = dict(is_training=is_training, decay=0.5)
    return slim.conv2d(IMAGES, 8, 3, padding="VALID", normalizer_fn=slim.batch_norm, normalizer_params=norm, scope="a")

with tf.Graph().as_default(), tf.Session() as session:
    result = tf.identity(layer(True))
    quantize.create_training_graph()
    train(session, result, 40, 0.0)
    trained = values(session)
results = []
for rewrite in (lambda: None, quantize.create_eval_graph):
    with tf.Graph().as_default(), tf.Session() as session:
        result = tf.identity(layer(False))
        rewrite()
        restored(trained, session)
        results.append(session.run(result))
error = np.abs(results[1] - results[0]).max()
steps = {{kind: trained[f"a/{{kind}}_quant/max"] - trained[f"a/{{kind}}_quant/min"] for kind in ("weights", "act")}}
inputs = np.lib.stride_tricks.sliding_window_view(np.abs(IMAGES), (3, 3), (1, 2)).sum((3, 4, 5)).max()
most = steps["act"] / 255 / 2 + inputs * steps["weights"] / 254 / 2
assert steps["act"] / 255 / 4 < error < most * 1.05, (error, most)
""")


def test_symmetric_ranges_and_fewer_bits() -> None:
    _run(f"""{NETWORK}
with tf.Graph().as_default(), tf.Session() as session:
    result = tf.identity(network(tf.constant(IMAGES), True))
    quantize.experimental_create_training_graph(symmetric=True, weight_bits=4, activation_bits=6)
    outputs = [results for _, results in train(session, result, 3, 0.1)]
    ranges = values(session)
    fake = [op for op in session.graph.get_operations() if op.type == "FakeQuantWithMinMaxVars"]
    weights = [session.run(op.outputs[0]) for op in fake if "weights_quant" in op.name]
assert len(np.unique(outputs[-1])) <= 2**6
assert len(weights) == 5 and all(2 < len(np.unique(weight)) <= 2**4 - 1 for weight in weights)
assert all(np.isclose(np.unique(weight), 0).any() for weight in weights)
assert ranges["out/weights_quant/min"] == -ranges["out/weights_quant/max"]
np.testing.assert_allclose(ranges["out/act_quant/min"], -ranges["out/act_quant/max"] * 32 / 31, rtol=1e-5)
""")


@pytest.mark.parametrize(("dtype", "zero", "symmetric"), [("uint8", 128, False), ("int8", 0, True)])
def test_integers_compute_what_was_simulated(dtype: str, zero: int, symmetric: bool) -> None:
    # TensorFlow Lite's kernels for int8 know no offset of weights.
    at_rest = AT_REST.replace("create_training_graph()", f"experimental_create_training_graph(symmetric={symmetric})")
    _run(f"""{NETWORK}{at_rest}
with tf.Graph().as_default(), tf.Session() as session:
    images = tf.placeholder(tf.float32, [1, 16, 16, 3], "images")
    result = tf.identity(network(images, False), "result")
    quantize.create_eval_graph()
    restored(trained, session)
    simulated = [session.run(result, {{images: image[None]}}) for image in IMAGES]
    converter = tf.lite.TFLiteConverter.from_session(session, [images], [result])
    converter.inference_type = tf.{dtype}
    converter.quantized_input_stats = {{"images": ({zero}, 128)}}
    model = converter.convert()
interpreter = tf.lite.Interpreter(model_content=model)
interpreter.allocate_tensors()
kinds = {{np.dtype(tensor["dtype"]).name for tensor in interpreter.get_tensor_details()}}
assert kinds == {{"{dtype}", "int32"}}, kinds
(of,), (to,) = interpreter.get_input_details(), interpreter.get_output_details()
(scale, offset), errors = to["quantization"], []
for image, want in zip(IMAGES, simulated):
    interpreter.set_tensor(of["index"], (image[None] * 128 + {zero}).astype("{dtype}"))
    interpreter.invoke()
    errors.append(np.abs((interpreter.get_tensor(to["index"]).astype(np.float32) - offset) * scale - want) / scale)
# In steps; the kernels break ties in another way, and what differs by a step in one layer does so in the next.
assert np.mean(errors) < 0.2 and np.max(errors) < 2.5, (np.mean(errors), np.max(errors))
""")
