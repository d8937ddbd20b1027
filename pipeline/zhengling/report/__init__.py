"""Reports for readers: the HTML page and the summary for the terminal."""
