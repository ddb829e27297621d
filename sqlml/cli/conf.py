"""`sqlml conf`"""

from __future__ import annotations


def conf() -> None:
    """Print the flags that put sqlml into a Spark you start yourself.

    spark-sql $(sqlml conf) · spark-submit $(sqlml conf) … · spark-shell $(sqlml conf)
    """
    from sqlml.spark.launch import flags

    print(" ".join(flags()))
