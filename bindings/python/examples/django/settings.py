"""The example's settings: a cache on the fleet that `shoal local --port 11300` starts, or at SHOAL_ENDPOINT."""
import os

CACHES = {
    "default": {
        "BACKEND": "shoal.django.ShoalCache",
        "LOCATION": os.environ.get("SHOAL_ENDPOINT", "elasticache://127.0.0.1:11300"),
        # Nodes come and go while one looks: ask for them each second, and not each minute.
        "OPTIONS": {"discovery_interval_ms": 1000},
    },
}
INSTALLED_APPS = ["shoal.django"]
ROOT_URLCONF = "page"
ALLOWED_HOSTS = ["127.0.0.1", "localhost"]
SECRET_KEY = "of an example"
DEBUG = True
USE_TZ = True
