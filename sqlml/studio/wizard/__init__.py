"""The page that enriches a table, as a wizard. `sqlml.studio.wizard.page.STEPS` lists the steps."""
