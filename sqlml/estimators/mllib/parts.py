"""Reader of the internals of MLlib models that PySpark does not expose: tree nodes, and the covariance factors of
mixtures.

It needs no file and no Spark job. Saving the model would make executors write to a path that all nodes share. Instead
the JVM's Jackson serializes the objects' private fields, and the JSON comes over in one compressed piece, because a
call per tree would cost a network round trip each.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from typing import Any

# Trees of up to this many nodes together go over in one piece: about 20 MB of JSON in the driver, 3 MB on the wire.
_NODES_A_PIECE = 200_000
_CLUSTERS = "org$apache$spark$ml$clustering$BisectingKMeansModel$$parentModel"


def parts(model: Any, context: Any) -> list[dict[str, Any]]:
    """The internals that the model's emitter in `sqlml.export.mllib` needs; an empty list for most models.

    Args:
        model: a fitted model of pyspark.ml.
        context: the SparkContext it lives in.
    """
    if hasattr(model, "featureImportances"):
        return list(_roots(model, context._jvm))
    if type(model).__name__ == "BisectingKMeansModel":
        return _read(_list([getattr(model._java_obj, _CLUSTERS)().root()], context._jvm), context._jvm)
    return _gaussians(model, context) if type(model).__name__ == "GaussianMixtureModel" else []


def _roots(model: Any, jvm: Any) -> Iterator[dict[str, Any]]:
    """The root node of each tree, as nested dictionaries with the fields of `org.apache.spark.ml.tree.Node`.

    A leaf has `prediction` and `impurityStats` (`stats`: for classification the training weight of each class). An
    inner node also has `leftChild`, `rightChild` and `split`: `featureIndex` and `threshold` (left if ≤), or
    `_leftCategories`, `numCategories` and `isLeft`.
    """
    fitted = model._java_obj
    trees = list(fitted.trees()) if hasattr(model, "trees") else [fitted]
    waiting, nodes = jvm.java.util.ArrayList(), 0
    for tree in trees:
        waiting.add(tree.rootNode())
        nodes += tree.numNodes()
        if nodes >= _NODES_A_PIECE:
            yield from _read(waiting, jvm)
            waiting, nodes = jvm.java.util.ArrayList(), 0
    yield from _read(waiting, jvm)


def _gaussians(model: Any, context: Any) -> list[dict[str, Any]]:
    """The constants that the JVM has computed from each component's covariance. Recomputing them elsewhere is no
    option: a nearly singular covariance, as of one-hot columns, would get other eigenvalues, some with the other
    sign."""
    jvm, gateway = context._jvm, context._gateway
    found = []
    for gaussian in model._java_obj.gaussians():
        computed = gaussian.getClass().getDeclaredMethod("tuple", gateway.new_array(jvm.java.lang.Class, 0))
        computed.setAccessible(True)
        constants = computed.invoke(gaussian, gateway.new_array(jvm.java.lang.Object, 0))
        root, rooted = _read(_list([constants._1().toDense(), constants._3()], jvm), jvm)
        columns, rows = root["numCols"], root["numRows"]
        matrix = [[root["values"][row + rows * column] for column in range(columns)] for row in range(rows)]
        found.append({"root": matrix, "rooted": rooted["values"], "constant": constants._2()})
    return found


def _list(objects: list[Any], jvm: Any) -> Any:
    found = jvm.java.util.ArrayList()
    for one in objects:
        found.add(one)
    return found


def _mapper(jvm: Any) -> Any:
    """A Jackson mapper that serializes all fields, private ones too, and nothing else; doubles survive the round
    trip."""
    mapper = jvm.com.fasterxml.jackson.databind.ObjectMapper()
    accessor = jvm.com.fasterxml.jackson.annotation.PropertyAccessor
    visibility = getattr(jvm.com.fasterxml.jackson.annotation, "JsonAutoDetect$Visibility")
    mapper.setVisibility(accessor.valueOf("ALL"), visibility.valueOf("NONE"))
    mapper.setVisibility(accessor.valueOf("FIELD"), visibility.valueOf("ANY"))
    return mapper


def _read(objects: Any, jvm: Any) -> list[dict[str, Any]]:
    """Serializes a Java list to compressed JSON and parses it here."""
    buffer = jvm.java.io.ByteArrayOutputStream()
    _mapper(jvm).writeValue(jvm.java.util.zip.GZIPOutputStream(buffer), objects)
    found: list[dict[str, Any]] = json.loads(gzip.decompress(buffer.toByteArray()))
    return found
