"""How a table gets a model's predictions: all that ENRICH TABLE is made of.

    reading      the statement's clauses
    similarity   how alike two names are: 1 for the same, and above a measured threshold for one thing in two spellings
    columns      the columns that an expression of the user's reads
    mapping      a feature of the model → an expression over the table, or the candidates where that is not certain
    outputs      what the model says → columns of the result
    sql_text     all of it as plain Spark SQL
    creating     the object that Spark makes of that, and the record of it

The studio's page shows the same proposals; it asks for them with ENRICH TABLE … SHOW MAP.
"""

from sqlml.enrichment.mapping import Mapped, Proposal, propose
from sqlml.enrichment.outputs import Output, Wanted, outputs_of
from sqlml.enrichment.similarity import THRESHOLD, similarity

__all__ = ["THRESHOLD", "Mapped", "Output", "Proposal", "Wanted", "outputs_of", "propose", "similarity"]
