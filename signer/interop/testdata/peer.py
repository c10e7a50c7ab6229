"""pyHanko as a judge and a maker of signatures, many files in one run:

peer.py validate --trust ROOTS.pem LEVEL:FIELD:FILE...
peer.py sign --p12 FILE --pass WORD --level B|T|LT|LTA --tsa URL --trust ROOTS.pem [IN OUT]...
peer.py extend --level LTA --tsa URL --trust ROOTS.pem [IN OUT]...

Prints one JSON object for each file. The signature FIELD is held to LEVEL: from LT on it must
validate from what the file carries, without any network, and at LTA also as of ten days later.
All other signatures and time-stamps must be valid now, with revocation data fetched.
"""
import asyncio
import datetime
import json
import logging
import sys

from pyhanko.keys import load_certs_from_pemder
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign import fields, signers, timestamps
from pyhanko.sign.validation import validate_pdf_signature, validate_pdf_timestamp
from pyhanko.sign.validation.ades import ades_lta_validation, simulate_future_ades_lta_validation
from pyhanko.sign.validation.policy_decl import (
    PdfSignatureValidationSpec, RevinfoOnlineFetchingRule, RevocationInfoGatheringSpec, SignatureValidationSpec,
)
from pyhanko_certvalidator import ValidationContext
from pyhanko_certvalidator.context import CertValidationPolicySpec
from pyhanko_certvalidator.policy_decl import CertRevTrustPolicy, REQUIRE_REVINFO
from pyhanko_certvalidator.registry import SimpleTrustManager

logging.disable(logging.CRITICAL)
LONG_TERM = ("LT", "LTA")


def online(roots):
    return ValidationContext(trust_roots=roots, allow_fetching=True, revocation_mode="hard-fail")


def stamp_verdict(sig, roots):
    status = validate_pdf_timestamp(sig, online(roots))
    return status.intact and status.valid and status.trusted, status.summary()


def offline(roots):
    policy = CertValidationPolicySpec(
        trust_manager=SimpleTrustManager.build(trust_roots=roots), revinfo_policy=CertRevTrustPolicy(REQUIRE_REVINFO))
    gathering = RevocationInfoGatheringSpec(online_fetching_rule=RevinfoOnlineFetchingRule.LOCAL_ONLY)
    return PdfSignatureValidationSpec(SignatureValidationSpec(policy, revinfo_gathering_policy=gathering))


def held_to(sig, level, roots):
    status = validate_pdf_signature(sig, online(roots))
    if not status.bottom_line or level not in LONG_TERM:
        return status.bottom_line, f"{status.summary()} {status.modification_level}"
    verdict = asyncio.run(ades_lta_validation(sig, offline(roots))).ades_subindic
    if str(verdict) == "AdESPassed.OK" and level == "LTA":
        later = datetime.datetime.now(tz=datetime.timezone.utc) + datetime.timedelta(days=10)
        verdict = asyncio.run(simulate_future_ades_lta_validation(sig, offline(roots), later)).ades_subindic
    return str(verdict) == "AdESPassed.OK", str(verdict)


def validate(flags, spec):
    level, field, path = spec.split(":", 2)
    roots = list(load_certs_from_pemder([flags["--trust"]]))
    found = []
    with open(path, "rb") as f:
        for sig in PdfFileReader(f, strict=True).embedded_signatures:
            if sig.sig_object_type == "/DocTimeStamp":
                ok, why = stamp_verdict(sig, roots)
            else:
                ok, why = held_to(sig, level if sig.field_name == field else "B", roots)
            found.append({"field": sig.field_name, "type": sig.sig_object_type, "ok": ok, "why": why})
    return {"file": path, "signatures": found}


def sign(flags, path, out):
    level = flags["--level"]
    pki = dict(trust_roots=list(load_certs_from_pemder([flags["--trust"]])), allow_fetching=True, revocation_mode="hard-fail")
    meta = signers.PdfSignatureMetadata(
        field_name="Theirs", md_algorithm="sha256", subfilter=fields.SigSeedSubFilter.PADES,
        embed_validation_info=level in LONG_TERM, use_pades_lta=level == "LTA", validation_context=ValidationContext(**pki))
    signer = signers.SimpleSigner.load_pkcs12(flags["--p12"], passphrase=flags["--pass"].encode())
    stamper = None if level == "B" else timestamps.HTTPTimeStamper(flags["--tsa"])
    with open(path, "rb") as f, open(out, "wb") as to:
        writer = IncrementalPdfFileWriter(f, strict=True)
        signers.PdfSigner(meta, signer, timestamper=stamper).sign_pdf(writer, output=to)
    return {"file": path, "out": out}


def extend(flags, path, out):
    roots = list(load_certs_from_pemder([flags["--trust"]]))
    with open(path, "rb") as f, open(out, "wb") as to:
        stamper = signers.PdfTimeStamper(timestamps.HTTPTimeStamper(flags["--tsa"]))
        stamper.update_archival_timestamp_chain(PdfFileReader(f, strict=True), online(roots), in_place=False, output=to)
    return {"file": path, "out": out}


def main(words):
    command, words, flags = words[0], words[1:], {}
    while words and words[0].startswith("--"):
        flags[words[0]] = words[1]
        words = words[2:]
    work, step = {"validate": (validate, 1), "sign": (sign, 2), "extend": (extend, 2)}[command]
    for i in range(0, len(words), step):
        try:
            print(json.dumps(work(flags, *words[i:i + step])), flush=True)
        except Exception as e:  # one file must not keep the others from being worked on
            print(json.dumps({"file": words[i].split(":", 2)[-1], "error": f"{type(e).__name__}: {e}"}), flush=True)


main(sys.argv[1:])
