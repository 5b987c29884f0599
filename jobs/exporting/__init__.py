"""An audience from the tables of a run: who is chosen, in which arm, and the files of the list. No Spark, no lift."""
