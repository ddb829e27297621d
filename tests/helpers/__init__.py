"""What tests share. No test imports from a test.

folders, environments           where things lie; other versions of libraries, and clients with requirements
doors                           the ways to Spark SQL, the servers behind them, and golden files
sklearn_fits, boosted_fits,     models, fitted to tables that are hard to prepare
  gappy_fits, every_estimator
isotonic, weighted_table        tables for one kind of training
foreign_graphs, hostile         graphs that others might have made, and files that nobody should open
row_graphs, random_graphs,      graphs by hand and at random
  random_forests
compiled_models, engine_pairs   a model compiled beside ONNX Runtime: on rows alone, and through SQL
sql_engines, sql_cases,         DuckDB, SQLite and PostgreSQL, and the models that run on them as SQL
  compiler_fixtures
generated_code, unused          the Java of a query; what a feature that counts as unused must stand
refused                         the text of a statement's error
shipped_tables, studio_visitor  tables that packages ship; a browser that looks at pages
"""
