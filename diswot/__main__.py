"""`python -m diswot` is `diswot`."""

from diswot.cli import main

main()
