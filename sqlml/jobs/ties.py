"""The tie-breaking rule of nearest neighbours, shared by the scikit-learn model and its ONNX graph.

Equal distances can differ in their last bits, depending on the order of summation. So squared distances are rounded
before they are compared, and of equal ones the row with the lowest index is taken. A row is within a radius if its
rounded squared distance is at most the rounded square of the radius.
"""

# Squared distances are rounded to multiples of 2⁻³⁰.
STEPS = 2.0**30


def largest_square(radius: float) -> float:
    """Returns the upper bound for unrounded squared distances: half a step above the rounded square of the radius."""
    return (round(radius * radius * STEPS) + 0.5) / STEPS
