"""What tests share. No test imports from a test.

folders, environments            where things lie; other versions of libraries, and clients with requirements
doors                            the ways to Spark SQL, the servers behind them, and golden files
foreign_graphs, hostile          graphs that others might have made, and files that nobody should open
row_graphs, random_graphs        graphs of columns in and one row of doubles out, by hand and at random
compiled_models, engine_pairs    a model compiled beside ONNX Runtime: on rows alone, and through SQL
generated_code, unused           the Java of a query; what a feature that counts as unused must stand
sql_engines                      DuckDB, SQLite and PostgreSQL, which run what the compiler writes
shipped_tables, studio_visitor   tables that packages ship; a browser that looks at pages
"""
