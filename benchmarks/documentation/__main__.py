"""Fill the tables of the docs and draw their figures again."""

from benchmarks.documentation import main

main()
