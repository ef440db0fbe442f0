"""Canon EOS."""
