"""Commands of `manage.py`: a file a command."""
