"""Where the quantities come from."""

SOURCE = "the lab book"
