"""The language: a text of the user's in, a parsed statement or a text for Spark's parser out.

tokens, leading_words           sqlglot's tokens, and whose statement a text is
literals, references            values, and names of models
cursor, generator               how a statement is read, and how its parts are printed again
call_tokens, rewriter           the tokens of a call, and a text with some parts replaced
functions                       calls of PREDICT and its like: the FUNCTIONS table
table_functions                 the forms of it that stand for a table
tsql, tsql_names, tsql_predict  what T-SQL writes otherwise
query_parts                     the clause that each token stands in
parameters, scripts             parameter markers, and our statements inside BEGIN … END
"""
