"""One customer explained from the files of runs: scores, segment, history, and what moved them. No Spark, no table."""
