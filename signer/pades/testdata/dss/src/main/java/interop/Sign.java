package interop;

import eu.europa.esig.dss.enumerations.DigestAlgorithm;
import eu.europa.esig.dss.enumerations.SignatureLevel;
import eu.europa.esig.dss.model.DSSDocument;
import eu.europa.esig.dss.model.FileDocument;
import eu.europa.esig.dss.model.ToBeSigned;
import eu.europa.esig.dss.pades.PAdESSignatureParameters;
import eu.europa.esig.dss.pades.signature.PAdESService;
import eu.europa.esig.dss.spi.validation.CommonCertificateVerifier;
import eu.europa.esig.dss.token.DSSPrivateKeyEntry;
import eu.europa.esig.dss.token.Pkcs12SignatureToken;
import java.security.KeyStore.PasswordProtection;

/** Adds a PAdES B-B signature with EU DSS: KEY.p12 PASSWORD (IN.pdf OUT.pdf)... */
public final class Sign {
    public static void main(String[] args) throws Exception {
        try (Pkcs12SignatureToken token = new Pkcs12SignatureToken(args[0], new PasswordProtection(args[1].toCharArray()))) {
            DSSPrivateKeyEntry key = token.getKeys().get(0);
            PAdESService service = new PAdESService(new CommonCertificateVerifier());
            for (int i = 2; i < args.length; i += 2) {
                PAdESSignatureParameters parameters = new PAdESSignatureParameters();
                parameters.setSignatureLevel(SignatureLevel.PAdES_BASELINE_B);
                parameters.setDigestAlgorithm(DigestAlgorithm.SHA256);
                parameters.setSigningCertificate(key.getCertificate());
                parameters.setCertificateChain(key.getCertificateChain());
                DSSDocument document = new FileDocument(args[i]);
                ToBeSigned data = service.getDataToSign(document, parameters);
                service.signDocument(document, parameters, token.sign(data, DigestAlgorithm.SHA256, key)).save(args[i + 1]);
            }
        }
    }
}
