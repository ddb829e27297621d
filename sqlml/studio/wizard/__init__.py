"""The page that enriches a table, step by step. `STEPS` in `sqlml.studio.wizard.page` is the one table of the steps."""
