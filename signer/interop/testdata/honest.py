"""Honest files by pyHanko, of every kind a validator must not be alarmed by:

honest.py --p12 FILE --other FILE --pass WORD --tsa URL --trust ROOTS.pem --out DIR NAME=BASE... form=FORM

BASE files are signed at every level; the one called "form" has a text field and is certified,
filled and commented. Prints the name of each file made.
"""
import io
import logging
import os
import sys

from pyhanko.keys import load_certs_from_pemder
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.generic import pdf_name
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign import fields, signers, timestamps
from pyhanko_certvalidator import ValidationContext

logging.disable(logging.CRITICAL)


class Maker:
    def __init__(self, flags):
        self.flags = flags
        self.context = ValidationContext(
            trust_roots=list(load_certs_from_pemder([flags["--trust"]])), allow_fetching=True, revocation_mode="hard-fail")
        self.stamper = timestamps.HTTPTimeStamper(flags["--tsa"])

    def sign(self, data, level, field="First", who="--p12", **more):
        meta = signers.PdfSignatureMetadata(
            field_name=field, md_algorithm="sha256", subfilter=fields.SigSeedSubFilter.PADES,
            embed_validation_info=level in ("LT", "LTA"), use_pades_lta=level == "LTA", validation_context=self.context, **more)
        signer = signers.SimpleSigner.load_pkcs12(self.flags[who], passphrase=self.flags["--pass"].encode())
        stamper = None if level == "B" else self.stamper
        out = io.BytesIO()
        signers.PdfSigner(meta, signer, timestamper=stamper).sign_pdf(writer(data), output=out)
        return out.getvalue()

    def renewed(self, data):
        out = io.BytesIO()
        signers.PdfTimeStamper(self.stamper).update_archival_timestamp_chain(
            PdfFileReader(io.BytesIO(data)), self.context, in_place=False, output=out)
        return out.getvalue()


def writer(data):
    reader = PdfFileReader(io.BytesIO(data), strict=False)
    return IncrementalPdfFileWriter.from_reader(reader)


def written(w):
    out = io.BytesIO()
    w.write(out)
    return out.getvalue()


def filled(data, text):
    """The text field gets a value and an appearance, as viewers make them."""
    w = writer(data)
    field = w.root["/AcroForm"]["/Fields"][0]["/Kids"][0]
    field[pdf_name("/V")] = generic.TextStringObject(text)
    shown = generic.StreamObject(stream_data=b"/Tx BMC q BT /Helv 10 Tf 2 6 Td (" + text.encode() + b") Tj ET Q EMC")
    for key, value in {"/Type": "/XObject", "/Subtype": "/Form"}.items():
        shown[pdf_name(key)] = pdf_name(value)
    shown[pdf_name("/BBox")] = generic.ArrayObject(map(generic.NumberObject, (0, 0, 90, 20)))
    shown[pdf_name("/Resources")] = generic.DictionaryObject()
    field[pdf_name("/AP")] = generic.DictionaryObject({pdf_name("/N"): w.add_object(shown)})
    w.update_container(field)
    return written(w)


def commented(data, kind, rect, **more):
    w = writer(data)
    page = w.root["/Pages"]["/Kids"][0]
    note = generic.DictionaryObject({
        pdf_name("/Type"): pdf_name("/Annot"), pdf_name("/Subtype"): pdf_name(kind), pdf_name("/F"): generic.NumberObject(4),
        pdf_name("/Rect"): generic.ArrayObject(map(generic.FloatObject, rect)), pdf_name("/Contents"): generic.TextStringObject("nhận xét")})
    for key, value in more.items():
        note[pdf_name("/" + key)] = generic.ArrayObject(map(generic.FloatObject, value))
    annots = page["/Annots"]
    annots.append(w.add_object(note))
    w.update_container(annots)
    return written(w)


def files(make, bases):
    form = bases.pop("form")
    for name, base in bases.items():
        for level in ("B", "T", "LT", "LTA"):
            yield f"{name} B-{level}", make.sign(base, level)
    table = bases["table"]
    archived = make.sign(table, "LTA")
    yield "time-stamped again", make.renewed(archived)
    yield "time-stamped again, twice", make.renewed(make.renewed(archived))
    yield "counter-signed", make.sign(make.sign(table, "LT"), "LT", "Second", "--other")
    yield "counter-signed after archiving", make.sign(archived, "LTA", "Second", "--other")
    yield "three signatures", make.sign(make.sign(make.sign(table, "B"), "T", "Second", "--other"), "LT", "Third")
    two = make.sign(form, "LT", certify=True, docmdp_permissions=fields.MDPPerm.FILL_FORMS)
    yield "certified 2", two
    yield "certified 2, filled", filled(two, "An")
    yield "certified 2, filled twice", filled(filled(two, "An"), "Binh")
    yield "certified 2, filled and signed", make.sign(filled(two, "An"), "LT", "Second", "--other")
    yield "approved, filled", filled(make.sign(form, "T"), "An")
    yield "certified 1, time-stamped", make.renewed(make.sign(
        form, "LTA", certify=True, docmdp_permissions=fields.MDPPerm.NO_CHANGES))
    three = make.sign(form, "T", certify=True, docmdp_permissions=fields.MDPPerm.ANNOTATE)
    yield "certified 3, note", commented(three, "/Text", (300, 700, 320, 720))
    yield "certified 3, highlight", commented(three, "/Highlight", (72, 690, 272, 710), C=(1, 1, 0), QuadPoints=(72, 710, 272, 710, 72, 690, 272, 690))
    yield "certified 3, note and filled", filled(commented(three, "/Text", (300, 700, 320, 720)), "An")


def main(words):
    flags, bases = {}, {}
    while words[0].startswith("--"):
        flags[words[0]] = words[1]
        words = words[2:]
    for word in words:
        name, path = word.split("=", 1)
        with open(path, "rb") as f:
            bases[name] = f.read()
    for name, data in files(Maker(flags), bases):
        with open(os.path.join(flags["--out"], name + ".pdf"), "wb") as f:
            f.write(data)
        print(name, flush=True)


main(sys.argv[1:])
