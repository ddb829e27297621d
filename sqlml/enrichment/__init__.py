"""ENRICH TABLE: adds a model's predictions to a table, with features matched to columns by name similarity.

    reading      parses and prints the statement's clauses
    similarity   the similarity of two names, 0 to 1; above a measured threshold they mean the same thing
    columns      the columns that a user's expression reads
    mapping      matches each feature to an expression over the table, or lists candidates
    outputs      turns the model's outputs into columns of the result
    sql_text     generates plain Spark SQL
    creating     creates the object in Spark and records it in the registry

The studio shows the same proposals through ENRICH TABLE … SHOW MAP.
"""

from sqlml.enrichment.mapping import Mapped, Proposal, propose
from sqlml.enrichment.outputs import Output, Wanted, outputs_of
from sqlml.enrichment.similarity import THRESHOLD, similarity

__all__ = ["THRESHOLD", "Mapped", "Output", "Proposal", "Wanted", "outputs_of", "propose", "similarity"]
