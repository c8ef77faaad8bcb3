"""What restore needs: the archive, the plan, the answer of a person."""
