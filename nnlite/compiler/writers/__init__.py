"""Programs as text: one writer for each kind of machine that runs them."""
