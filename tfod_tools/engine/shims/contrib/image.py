"""The functions of `tensorflow.contrib.image` that the engine calls."""

from typing import Any


def bipartite_match(
    distance_mat: Any, num_valid_rows: Any, top_k: int = -1, name: str | None = None
) -> tuple[Any, Any]:
    """Greedy bipartite matching: takes the closest pair first, then the closest of the rest, and so on.

    Args:
      distance_mat: float tensor of shape [rows, columns].
      num_valid_rows: scalar. Rows from this index on are not matched.
      top_k: number of pairs to make; -1 for all.
      name: name scope of the operations.

    Returns:
      Two int32 tensors: for each row its column, and for each column its row; -1 where there is none.
    """
    import tensorflow.compat.v1 as tf

    with tf.name_scope(name, "bipartite_match"):
        distance = tf.cast(distance_mat, tf.float32)
        rows, columns = tf.unstack(tf.shape(distance))
        valid = tf.minimum(tf.cast(tf.reshape(num_valid_rows, []), tf.int32), rows)
        taken = tf.constant(float("inf"))
        distance = tf.where(tf.range(rows) < valid, distance, tf.fill([rows, columns], taken))
        pairs = tf.minimum(valid, columns)
        pairs = pairs if top_k < 0 else tf.minimum(pairs, top_k)

        def match_one(done: Any, left: Any, column_of: Any, row_of: Any) -> Any:
            best = tf.argmin(tf.reshape(left, [-1]), output_type=tf.int32)
            row, column = best // columns, best % columns
            # Not `==`, which compares identities in TF1 style.
            is_row, is_column = tf.equal(tf.range(rows), row), tf.equal(tf.range(columns), column)
            here = is_row[:, None] | is_column[None, :]
            column_of = tf.where(is_row, tf.fill([rows], column), column_of)
            row_of = tf.where(is_column, tf.fill([columns], row), row_of)
            return done + 1, tf.where(here, tf.fill([rows, columns], taken), left), column_of, row_of

        start = (tf.constant(0), distance, tf.fill([rows], -1), tf.fill([columns], -1))
        shapes = tuple(item.shape for item in start)
        _, _, column_of, row_of = tf.while_loop(lambda done, *_: done < pairs, match_one, start, shapes)
        return column_of, row_of


def transform(images: Any, transforms: Any, interpolation: str = "NEAREST", name: str | None = None) -> Any:
    """Applies projective transforms. Each is given by the 8 values that map output points to input points.

    Args:
      images: tensor of shape [batch, height, width, channels], [height, width, channels] or [height, width].
      transforms: 8 values, or [batch, 8].
      interpolation: "NEAREST" or "BILINEAR".
      name: name scope of the operations.

    Returns:
      A tensor of the same shape as `images`. Points from outside the image are 0.
    """
    import tensorflow as tf

    with tf.name_scope(name or "transform"):
        images = tf.convert_to_tensor(images)
        rank = images.shape.rank
        batch = images[None] if rank == 3 else images[None, :, :, None] if rank == 2 else images
        matrix = tf.reshape(tf.cast(transforms, tf.float32), [-1, 8])
        moved = tf.raw_ops.ImageProjectiveTransformV3(
            images=batch,
            transforms=matrix,
            output_shape=tf.shape(batch)[1:3],
            fill_value=0.0,
            interpolation=interpolation,
            fill_mode="CONSTANT",
        )
        return moved[0] if rank == 3 else moved[0, :, :, 0] if rank == 2 else moved


def rotate(images: Any, angles: Any, interpolation: str = "NEAREST", name: str | None = None) -> Any:
    """Rotates images counterclockwise around their centre by `angles` radians; else as `transform`."""
    import tensorflow as tf

    images = tf.convert_to_tensor(images)
    size = tf.cast(tf.shape(images)[:2] if images.shape.rank < 4 else tf.shape(images)[1:3], tf.float32)
    centre_y, centre_x = (size[0] - 1) / 2, (size[1] - 1) / 2
    angle = tf.reshape(tf.cast(angles, tf.float32), [-1])
    cos, sin, zero = tf.cos(angle), tf.sin(angle), tf.zeros_like(angle)
    x_offset = centre_x - (cos * centre_x - sin * centre_y)
    y_offset = centre_y - (sin * centre_x + cos * centre_y)
    matrix = tf.stack([cos, -sin, x_offset, sin, cos, y_offset, zero, zero], axis=1)
    return transform(images, matrix, interpolation, name)


def translate(images: Any, translations: Any, interpolation: str = "NEAREST", name: str | None = None) -> Any:
    """Moves images by `translations` = [dx, dy] pixels; else as `transform`."""
    import tensorflow as tf

    moves = tf.reshape(tf.cast(translations, tf.float32), [-1, 2])
    one, zero = tf.ones_like(moves[:, 0]), tf.zeros_like(moves[:, 0])
    matrix = tf.stack([one, zero, -moves[:, 0], zero, one, -moves[:, 1], zero, zero], axis=1)
    return transform(images, matrix, interpolation, name)
