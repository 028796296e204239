"""What can be fetched from elsewhere: files, checksums, licences and citations, read from ``config/datasets.yaml``.

Light: importing this loads no numerical library, and touches no network.
"""

from soundproof.downloads.catalogue.model import Licence, Record
from soundproof.downloads.catalogue.reading import catalogue, read_catalogue

__all__ = ["Licence", "Record", "catalogue", "read_catalogue"]
