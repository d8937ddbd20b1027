"""Analysis of more documents than fit into memory: in parts, by several processes, resumed after a stop.

The unit of work is a part, a planned range of documents. ``parts.analyse_part`` does one; engines only say
where and when.
"""
