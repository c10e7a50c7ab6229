"""Validates every signature of PDF files with pyHanko: ROOT.pem FILE...

Prints one line for each signature and ends with status 1 if one is not valid. Files named
*.blta.pdf must also validate, from what they carry, ten days after they were made.
"""
import asyncio
import datetime
import logging
import sys

from pyhanko.keys import load_cert_from_pemder
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation import validate_pdf_signature, validate_pdf_timestamp
from pyhanko.sign.validation.ades import simulate_future_ades_lta_validation
from pyhanko.sign.validation.policy_decl import (
    LocalKnowledge, PdfSignatureValidationSpec, SignatureValidationSpec,
)
from pyhanko_certvalidator import ValidationContext
from pyhanko_certvalidator.context import CertValidationPolicySpec
from pyhanko_certvalidator.policy_decl import (
    CertRevTrustPolicy, REQUIRE_REVINFO,
)
from pyhanko_certvalidator.registry import SimpleTrustManager
from pyhanko_certvalidator.fetchers.requests_fetchers import RequestsFetcherBackend

logging.disable(logging.CRITICAL)
root = load_cert_from_pemder(sys.argv[1])


def spec():
    policy = CertValidationPolicySpec(
        trust_manager=SimpleTrustManager.build(trust_roots=[root]),
        revinfo_policy=CertRevTrustPolicy(REQUIRE_REVINFO),
    )
    return PdfSignatureValidationSpec(SignatureValidationSpec(cert_validation_policy=policy))


def check(sig, archived):
    context = ValidationContext(trust_roots=[root], allow_fetching=False, revocation_mode="soft-fail")
    if sig.sig_object_type == "/DocTimeStamp":
        status = validate_pdf_timestamp(sig, context)
        return status.intact and status.valid and status.trusted, ""
    status = validate_pdf_signature(sig, context)
    if not status.bottom_line or not archived:
        return status.bottom_line, str(status.modification_level)
    later = datetime.datetime.now(tz=datetime.timezone.utc) + datetime.timedelta(days=10)
    result = asyncio.run(simulate_future_ades_lta_validation(sig, spec(), later))
    return str(result.ades_subindic) == "AdESPassed.OK", str(result.ades_subindic)


failed = False
for path in sys.argv[2:]:
    with open(path, "rb") as f:
        reader = PdfFileReader(f, strict=True)
        for sig in reader.embedded_signatures:
            ok, why = check(sig, path.endswith(".blta.pdf"))
            failed = failed or not ok
            print("valid" if ok else "NOT VALID", path, sig.field_name, why)
sys.exit(failed)
