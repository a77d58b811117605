"""Make the tables of all pages of the docs anew."""

from benchmarks.documentation import main

main()
