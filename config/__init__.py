"""What is known: Settings, profiles, and the errors.

Import from its modules: the errors alone are light, and `fab --list` needs no more.
"""
