"""The parser: turns a user's text into a parsed statement of ours, or into a text for Spark's parser.

tokens, leading_words           sqlglot's tokenizer, and the words by which our statements are recognized
literals, references            values, and names of models
cursor, generator               parsing primitives for statements, and generation of SQL text
call_tokens, rewriter           the tokens of a call, and edits with a mapping of offsets
functions                       calls of PREDICT and its kin: the FUNCTIONS table
table_functions                 their table forms
tsql, tsql_names, tsql_predict  T-SQL's types, names and PREDICT
query_parts                     the clause that each token is in
parameters, scripts             parameter markers, and our statements inside BEGIN … END
"""
