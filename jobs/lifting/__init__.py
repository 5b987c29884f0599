"""A campaign measured: the arms of an audience beside each other in a later run. No Spark, and no export."""
