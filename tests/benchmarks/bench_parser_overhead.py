"""What sqlml costs a text that is not its own: 10,000 parses with and without, in one JVM, in turns."""

from __future__ import annotations

import json
import statistics
import subprocess
from pathlib import Path

PARSES, ROUNDS = 10_000, 21
LIMIT = 1.03


def test_parser_overhead(tmp_path: Path) -> None:
    import pyspark

    from sqlml.spark.launch import jar

    classpath = f"{tmp_path}:{jar()}:{Path(pyspark.__file__).parent / 'jars'}/*"
    source = Path(__file__).parent / "ParserOverhead.java"
    subprocess.run(["javac", "-nowarn", "-proc:none", "-d", tmp_path, "-cp", classpath, source], check=True)
    command = ["java", "--add-opens=java.base/java.lang=ALL-UNNAMED", "-cp", classpath, "ParserOverhead"]
    result = subprocess.run([*command, str(PARSES), str(ROUNDS)], check=True, stdout=subprocess.PIPE, text=True)
    for line in result.stdout.splitlines():
        text, *measured = line.split("\t")
        stock, ours = (json.loads(numbers) for numbers in measured)
        # The ratio within a round: whatever else the machine does hits both halves of it.
        ratio = statistics.median(our / their for our, their in zip(ours, stock, strict=True))
        fastest = min(ours) / min(stock)
        print(
            f"{text[:40]!r}: stock {statistics.median(stock):.3f} s, with sqlml {statistics.median(ours):.3f} s a"
            f" {PARSES} parses; median ratio {ratio:.4f}, ratio of the fastest {fastest:.4f}"
        )
        assert ratio < LIMIT, text
