"""Milliseconds of processor time that pyHanko takes to validate each FILE, one a line: ROOT FILE..."""
import logging
import sys
import time

from pyhanko.keys import load_cert_from_pemder
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko.sign.validation.dss import DocumentSecurityStore

logging.disable(logging.CRITICAL)
root = load_cert_from_pemder(sys.argv[1])
for path in sys.argv[2:]:
    start = time.process_time()
    with open(path, "rb") as f:
        reader = PdfFileReader(f)
        store = DocumentSecurityStore.read_dss(reader)
        for signature in reader.embedded_signatures:
            context = store.as_validation_context({"trust_roots": [root], "allow_fetching": False, "revocation_mode": "hard-fail"})
            status = validate_pdf_signature(signature, context)
            if not status.bottom_line:
                sys.exit("pyHanko: " + status.pretty_print_details())
    print((time.process_time() - start) * 1000)
