"""`sqlml studio`: a local web page for scoring tables, looking at models and running SQL. In reading order:

    server      the page's server: who listens, on what, with which pages
    guard       lets in who has the token, under this machine's own name
    engine      runs a statement's text off the event loop, tells its progress, cancels it
    pictures    what a model's MLflow run has drawn
    texts       the statements, made of names and choices by the functions that quote
    elements    what pages are made of: buttons, cards, rows, statements, errors
    background  statements that go on when their page is left
    screen      one visitor's page: its frame, and the statements it runs
    description what DESCRIBE MODEL says, in cards
    pages/      the pages, one a file, in `PAGES`
    wizard/     the steps of the page that enriches a table, one a file, in `STEPS`

The page has no logic of its own: what it shows are rows of statements of the SQL language, what it does are statements,
and each one is shown. The one exception are the pictures, which are files of MLflow's.
"""
