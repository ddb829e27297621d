"""The command `sqlml conf`, which prints the flags that add sqlml to a Spark."""

from __future__ import annotations


def conf() -> None:
    """Print the flags that add sqlml to a Spark that you start yourself.

    spark-sql $(sqlml conf) · spark-submit $(sqlml conf) … · spark-shell $(sqlml conf)
    """
    from sqlml.spark.launch import flags

    print(" ".join(flags()))
