import eu.europa.esig.dss.diagnostic.DiagnosticData;
import eu.europa.esig.dss.diagnostic.SignatureWrapper;
import eu.europa.esig.dss.diagnostic.TimestampWrapper;
import eu.europa.esig.dss.jaxb.object.Message;
import eu.europa.esig.dss.model.FileDocument;
import eu.europa.esig.dss.simplereport.SimpleReport;
import eu.europa.esig.dss.validation.SignedDocumentValidator;
import eu.europa.esig.dss.validation.reports.Reports;
import java.io.File;
import java.util.ArrayList;
import java.util.List;

/** The simple report of EU DSS under its own default policy. */
record Validation(Trust trust) implements Dss.Work {
    @Override
    public Json on(File in, File out) {
        SignedDocumentValidator validator = SignedDocumentValidator.fromDocument(new FileDocument(in));
        validator.setCertificateVerifier(trust.verifier());
        Reports reports = validator.validateDocument();
        SimpleReport simple = reports.getSimpleReport();
        DiagnosticData data = reports.getDiagnosticData();
        List<Json> signatures = new ArrayList<>();
        for (String id : simple.getSignatureIdList()) {
            SignatureWrapper s = data.getSignatureById(id);
            signatures.add(verdict(simple, id)
                    .put("field", s.getFirstFieldName())
                    .put("level", String.valueOf(simple.getSignatureFormat(id)))
                    .put("intact", s.isSignatureIntact() && s.isSignatureValid())
                    .put("modified", s.arePdfModificationsDetected() || s.arePdfObjectModificationsDetected() && !s.getPdfUndefinedChanges().isEmpty()));
        }
        List<Json> stamps = new ArrayList<>();
        for (TimestampWrapper t : data.getTimestampList()) {
            stamps.add(verdict(simple, t.getId()).put("type", t.getType()).put("intact", t.isMessageImprintDataIntact() && t.isSignatureIntact()));
        }
        return new Json().put("signatures", signatures).put("timestamps", stamps);
    }

    private static Json verdict(SimpleReport simple, String id) {
        return new Json()
                .put("indication", simple.getIndication(id))
                .put("sub_indication", simple.getSubIndication(id))
                .put("errors", words(simple.getAdESValidationErrors(id)))
                .put("warnings", words(simple.getAdESValidationWarnings(id)));
    }

    private static List<String> words(List<Message> messages) {
        return messages.stream().map(Message::getValue).toList();
    }
}
