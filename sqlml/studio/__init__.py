"""`sqlml studio`: a local web page, built with NiceGUI, to score tables, look at models and run SQL. In reading order:

    server      the web server: uvicorn with all pages behind the guard
    guard       authentication: checks the token and the Host and Origin headers
    engine      runs statements on threads, reports progress, cancels
    pictures    serves the plots of a model's MLflow run
    texts       builds the statements from names and choices, quoting each
    elements    the building blocks of pages: buttons, cards, grids, statements, errors
    background  statements that continue after their page is closed
    screen      one visitor's page: its frame, and the statements it runs
    description shows the output of DESCRIBE MODEL in cards
    pages/      the pages, one per file, listed in `PAGES`
    wizard/     the steps of the page that enriches a table, one per file, listed in `STEPS`

The pages have no logic of their own: they show the results of SQL statements, every action is a SQL statement, and
each statement is shown. The only exception are the plots, which are files in MLflow.
"""
