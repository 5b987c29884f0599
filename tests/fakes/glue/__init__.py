"""The fakes of Glue: job runs of which no script runs, and the Data Catalog, in which moto keeps the tables."""
