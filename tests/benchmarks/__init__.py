"""PREDICT beside what its users would pick instead: one run, one machine, answers compared before anything is timed.

    make bench            every workload, 10^4 to 10^7 rows, one core and two: hours
    make bench QUICK=1    10^5 rows on two cores, under ten minutes

What to read, in this order:

    workloads   the table of what is asked: data, models, the query, its floor; data: where the rows come from
    rivals      the table of who answers; udf_rivals, spark_rivals, orbital: how each does it; onnx_session for all
    goals       the table of what the answers should cost
    models      trained by TRAIN MODEL; the library's own object from the same rows for those who need it
    running     one Spark, some cores: compares, then times in turns; cold: a process's first PREDICT
    records     what a process is asked, what it answers
    measuring   wall clock and processor time of a process tree; the machine
    report      the table and the chart
    __main__    the command

bench_*.py are older measurements of other things: pytest runs them, `make bench` does so at the end.
"""
