"""``python -m zhengling`` is the command line."""

from zhengling.cli import main

main()
