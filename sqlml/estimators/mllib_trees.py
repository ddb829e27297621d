"""The trees of a fitted MLlib model, read from the JVM's own objects: no files, no Spark job.

Saving the model, as MLlib's readers want it, would write from the executors to a path that all nodes share. The JVM's
JSON library walks the nodes' fields instead, and the text comes over in one compressed piece (a piece for every tree
would cost a network delay each).
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from typing import Any

# One piece holds trees up to this many nodes together: about 20 MB of text in the driver, 3 MB on the wire.
_NODES_A_PIECE = 200_000


def roots(model: Any, jvm: Any) -> Iterator[dict[str, Any]]:
    """The root node of each tree, as nested dictionaries with the fields of `org.apache.spark.ml.tree.Node`.

    A leaf has `prediction` and `impurityStats` (`stats`: for classification the training weight of each class); an
    inner node also has `leftChild`, `rightChild` and `split`: `featureIndex` and `threshold` (left when ≤).

    Args:
        model: a fitted decision tree, random forest or gradient-boosted model of pyspark.ml.
        jvm: the view of the JVM that the model lives in.
    """
    fitted = model._java_obj
    trees = list(fitted.trees()) if hasattr(model, "trees") else [fitted]
    mapper = _mapper(jvm)
    waiting, nodes = jvm.java.util.ArrayList(), 0
    for tree in trees:
        waiting.add(tree.rootNode())
        nodes += tree.numNodes()
        if nodes >= _NODES_A_PIECE:
            yield from _read(mapper, waiting, jvm)
            waiting, nodes = jvm.java.util.ArrayList(), 0
    yield from _read(mapper, waiting, jvm)


def _mapper(jvm: Any) -> Any:
    """A writer of JSON that sees private fields and nothing else; it prints a double so that it reads back the same."""
    mapper = jvm.com.fasterxml.jackson.databind.ObjectMapper()
    accessor = jvm.com.fasterxml.jackson.annotation.PropertyAccessor
    visibility = getattr(jvm.com.fasterxml.jackson.annotation, "JsonAutoDetect$Visibility")
    mapper.setVisibility(accessor.valueOf("ALL"), visibility.valueOf("NONE"))
    mapper.setVisibility(accessor.valueOf("FIELD"), visibility.valueOf("ANY"))
    return mapper


def _read(mapper: Any, nodes: Any, jvm: Any) -> list[dict[str, Any]]:
    buffer = jvm.java.io.ByteArrayOutputStream()
    mapper.writeValue(jvm.java.util.zip.GZIPOutputStream(buffer), nodes)
    found: list[dict[str, Any]] = json.loads(gzip.decompress(buffer.toByteArray()))
    return found
