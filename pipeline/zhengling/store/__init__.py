"""Results of many bulletins: a DuckDB database that can be resumed, Parquet files, and figures from them."""
