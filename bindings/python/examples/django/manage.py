#!/usr/bin/env python3
"""The example's manage.py. Settings and page stand beside it; README.md, under Example, says how to see it work."""
import os
import sys

from django.core.management import execute_from_command_line

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "settings")
    execute_from_command_line(sys.argv)
