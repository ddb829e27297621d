"""One row of the table of ONNX operators: what sqlml does with the operator, or why it does not."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from sqlml.compiler.feature_flow import FlowRule
from sqlml.compiler.operators.rule import ML, Rule

# The reason of most rows without a rule, and of operators without a row.
NOT_NEEDED = "no exporter of sqlml writes it, and no imported model was seen to need it"
# Reasons to refuse it in an imported model that an administrator may judge otherwise.
GROWS = "the memory that it needs depends on the values of a row"
NO_COLUMNS = "no model on tabular data was seen to need it"


class Cost(Enum):
    """The work of a node in ONNX Runtime, which `sqlml.compiler.cost` counts."""

    ELEMENT = "the elements that it writes"
    FUNCTION = "an exponential, a root or the like for each element"
    PRODUCT = "a product of matrices"
    LINEAR = "a product of each row with coefficients"
    NOTHING = "nothing: it changes the shape alone, or it is trees, whose steps are counted instead"


@dataclass(frozen=True)
class Operator:
    """What sqlml does with an operator. A text in the place of a rule or a flow is the reason why there is none.

    Attributes:
        rule: translates it to SQL, for engine `compiled` and EXPORT … FORMAT sql.
        flow: follows the features through it; without one, every feature that reaches it counts as used.
        cost: by which `spark.sqlml.engine = auto` chooses.
        refused: why an imported model may not use it; empty where it may.
        sizes: the inputs whose values decide how large its outputs are. In an imported model none of them may depend on
            the values of a row.
    """

    rule: Rule | str
    flow: FlowRule | str
    cost: Cost
    refused: str = ""
    sizes: tuple[int, ...] = ()

    @property
    def may_be_allowed(self) -> bool:
        """Whether the setting `spark.sqlml.import.operators` can allow a refused operator."""
        return self.refused in (GROWS, NO_COLUMNS)


def specification(domain: str, name: str) -> str:
    """Returns the address of the operator's page in ONNX's specification."""
    return f"https://onnx.ai/onnx/operators/onnx_{'aionnxml' if domain == ML else ''}_{name}.html"
