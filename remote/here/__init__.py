"""The machine that runs fab, where a test restore can be, too."""
