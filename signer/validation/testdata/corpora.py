"""pyHanko's word on the integrity of each file, one JSON object a line: corpora.py FILE..."""
import json
import logging
import os
import sys

from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation import validate_pdf_signature, validate_pdf_timestamp
from pyhanko_certvalidator import ValidationContext

logging.disable(logging.CRITICAL)


def word(sig):
    """What pyHanko finds, leaving aside whom to trust."""
    context = ValidationContext(trust_roots=[], allow_fetching=False)
    try:
        stamp = sig.sig_object.get("/Type") == "/DocTimeStamp"
        status = (validate_pdf_timestamp if stamp else validate_pdf_signature)(sig, context)
    except Exception as e:  # each of its many kinds of error is an answer here
        return "refused: " + type(e).__name__
    if not status.intact:
        return "broken"
    if not status.valid:
        return "invalid"
    return "intact" if getattr(status, "docmdp_ok", True) is not False and allowed(status) else "modified"


def allowed(status):
    result = getattr(status, "diff_result", None)
    return result is None or not type(result).__name__.startswith("SuspiciousModification")


def judge(path):
    with open(path, "rb") as f:
        try:
            signatures = list(PdfFileReader(f, strict=True).embedded_signatures)
            words = [word(s) for s in signatures]
        except Exception as e:
            return "unreadable: " + type(e).__name__
    return worst(words) if words else "no signature"


def worst(words):
    order = ["intact", "modified", "invalid", "broken"]
    return max(words, key=lambda w: order.index(w) if w in order else len(order))


for path in sys.argv[1:]:
    print(json.dumps({"file": os.path.basename(path), "word": judge(path)}), flush=True)
