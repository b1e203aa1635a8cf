"""Django's cache on Shoal: CACHES = {"default": {"BACKEND": "shoal.django.ShoalCache", "LOCATION": "host:port"}}.

May import: Django, and of Shoal the package shoal alone; `import shoal` never imports this.
"""
from .cache import ShoalCache

__all__ = ["ShoalCache"]
