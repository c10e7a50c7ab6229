package interop;

import eu.europa.esig.dss.enumerations.Indication;
import eu.europa.esig.dss.model.FileDocument;
import eu.europa.esig.dss.model.x509.CertificateToken;
import eu.europa.esig.dss.simplereport.SimpleReport;
import eu.europa.esig.dss.spi.DSSUtils;
import eu.europa.esig.dss.spi.validation.CommonCertificateVerifier;
import eu.europa.esig.dss.spi.x509.CommonTrustedCertificateSource;
import eu.europa.esig.dss.validation.SignedDocumentValidator;
import java.io.File;

/** Validates PDF files with EU DSS, without the network: ROOT.pem FILE... */
public final class Validate {
    public static void main(String[] args) {
        CommonTrustedCertificateSource anchors = new CommonTrustedCertificateSource();
        CertificateToken root = DSSUtils.loadCertificate(new File(args[0]));
        anchors.addCertificate(root);
        boolean failed = false;
        for (int i = 1; i < args.length; i++) {
            failed |= validate(new File(args[i]), anchors);
        }
        System.exit(failed ? 1 : 0);
    }

    private static boolean validate(File file, CommonTrustedCertificateSource anchors) {
        CommonCertificateVerifier verifier = new CommonCertificateVerifier();
        verifier.setTrustedCertSources(anchors);
        SignedDocumentValidator validator = SignedDocumentValidator.fromDocument(new FileDocument(file));
        validator.setCertificateVerifier(verifier);
        SimpleReport report = validator.validateDocument().getSimpleReport();
        boolean failed = report.getSignatureIdList().isEmpty();
        for (String id : report.getSignatureIdList()) {
            Indication indication = report.getIndication(id);
            failed |= indication != Indication.TOTAL_PASSED;
            System.out.println(file.getName() + "\t" + report.getSignatureFormat(id) + "\t" + indication + "\t"
                    + report.getSubIndication(id) + "\t" + report.getAdESValidationErrors(id).stream().map(m -> m.getValue()).toList());
        }
        return failed;
    }
}
