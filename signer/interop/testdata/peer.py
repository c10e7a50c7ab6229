"""pyHanko as a judge and a maker of signatures, many files in one run:

peer.py validate --trust ROOTS.pem LEVEL:FIELD:FILE...
peer.py sign --p12 FILE --pass WORD --level B|T|LT|LTA --tsa URL --trust ROOTS.pem [IN OUT]...
peer.py extend --level LTA --tsa URL --trust ROOTS.pem [IN OUT]...

Prints one JSON object for each file. The signature FIELD is held to LEVEL: from LT on it must
validate as of ten days later from what the file carries, without any network.
All other signatures and time-stamps must be valid now, with revocation data fetched.
"""
import asyncio
import datetime
import functools
import io
import json
import logging
import sys
import time

from pyhanko.keys import load_certs_from_pemder
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.misc import PdfStrictReadError
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign import fields, signers, timestamps
from pyhanko.sign.validation import add_validation_info, validate_pdf_signature, validate_pdf_timestamp
from pyhanko.sign.validation.ades import simulate_future_ades_lta_validation
from pyhanko.sign.validation.policy_decl import (
    PdfSignatureValidationSpec, RevinfoOnlineFetchingRule, RevocationInfoGatheringSpec, SignatureValidationSpec,
)
from pyhanko_certvalidator import ValidationContext
from pyhanko_certvalidator.context import CertValidationPolicySpec
from pyhanko_certvalidator.policy_decl import CertRevTrustPolicy, REQUIRE_REVINFO
from pyhanko_certvalidator.registry import SimpleTrustManager

logging.disable(logging.CRITICAL)
LONG_TERM = ("LT", "LTA")


def opened(f):
    """The reader, and why it is not a strict one: pyHanko signs and validates hybrid files only leniently."""
    try:
        reader = PdfFileReader(f, strict=True)
        if not reader.xrefs.hybrid_xrefs_present:
            return reader, ""
        why = "hybrid"
    except PdfStrictReadError as e:
        why = str(e)
    return PdfFileReader(f, strict=False), why


@functools.cache
def trusted(path):
    return list(load_certs_from_pemder([path]))


def online(path):
    return online_in(path, int(time.monotonic() // 20))


@functools.lru_cache(maxsize=1)
def online_in(path, _period):
    """One context for a while, so that little is fetched twice: it stands for the moment of its making, to which
    what is fetched much later would be from the future."""
    return ValidationContext(trust_roots=trusted(path), allow_fetching=True, revocation_mode="hard-fail")


def stamp_verdict(sig, trust):
    status = validate_pdf_timestamp(sig, online(trust))
    return status.intact and status.valid and status.trusted, status.summary()


def offline(trust):
    policy = CertValidationPolicySpec(
        trust_manager=SimpleTrustManager.build(trust_roots=trusted(trust)), revinfo_policy=CertRevTrustPolicy(REQUIRE_REVINFO))
    gathering = RevocationInfoGatheringSpec(online_fetching_rule=RevinfoOnlineFetchingRule.LOCAL_ONLY)
    return PdfSignatureValidationSpec(SignatureValidationSpec(policy, revinfo_gathering_policy=gathering))


def held_to(sig, level, trust):
    status = validate_pdf_signature(sig, online(trust))
    if not status.bottom_line:
        return False, f"{status.summary()} {status.diff_result}"
    if level not in LONG_TERM:
        return True, ""
    later = datetime.datetime.now(tz=datetime.timezone.utc) + datetime.timedelta(days=10)
    result = asyncio.run(simulate_future_ades_lta_validation(sig, offline(trust), later))
    return str(result.ades_subindic) == "AdESPassed.OK", f"{result.ades_subindic} {result.failure_msg}"


def validate(flags, spec):
    level, field, path = spec.split(":", 2)
    trust = flags["--trust"]
    found = []
    with open(path, "rb") as f:
        reader, lenient = opened(f)
        for sig in reader.embedded_signatures:
            if sig.sig_object_type == "/DocTimeStamp":
                ok, why = stamp_verdict(sig, trust)
            else:
                ok, why = held_to(sig, level if sig.field_name == field else "B", trust)
            found.append({"field": sig.field_name, "type": sig.sig_object_type, "ok": ok, "why": why})
    return {"file": path, "lenient": lenient, "signatures": found}


def sign(flags, path, out):
    level = flags["--level"]
    meta = signers.PdfSignatureMetadata(
        field_name="Theirs", md_algorithm="sha256", subfilter=fields.SigSeedSubFilter.PADES,
        embed_validation_info=level in LONG_TERM, use_pades_lta=level == "LTA", validation_context=online(flags["--trust"]))
    signer = signers.SimpleSigner.load_pkcs12(flags["--p12"], passphrase=flags["--pass"].encode())
    stamper = None if level == "B" else timestamps.HTTPTimeStamper(flags["--tsa"])
    with open(path, "rb") as f, open(out, "wb") as to:
        writer = IncrementalPdfFileWriter.from_reader(opened(f)[0])
        signers.PdfSigner(meta, signer, timestamper=stamper).sign_pdf(writer, output=to)
    return {"file": path, "out": out}


def extend(flags, path, out):
    context = online(flags["--trust"])
    stamper = signers.PdfTimeStamper(timestamps.HTTPTimeStamper(flags["--tsa"]))
    with open(path, "rb") as f, io.BytesIO() as filled, open(out, "wb") as to:
        add_validation_info(opened(f)[0].embedded_signatures[-1], context, in_place=False, output=filled)
        stamper.update_archival_timestamp_chain(opened(filled)[0], context, in_place=False, output=to)
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
