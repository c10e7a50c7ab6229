import eu.europa.esig.dss.enumerations.CertificationPermission;
import eu.europa.esig.dss.enumerations.DigestAlgorithm;
import eu.europa.esig.dss.model.DSSDocument;
import eu.europa.esig.dss.model.FileDocument;
import eu.europa.esig.dss.model.SignatureValue;
import eu.europa.esig.dss.model.ToBeSigned;
import eu.europa.esig.dss.pades.PAdESSignatureParameters;
import eu.europa.esig.dss.pades.signature.PAdESService;
import eu.europa.esig.dss.token.DSSPrivateKeyEntry;
import eu.europa.esig.dss.token.Pkcs12SignatureToken;
import java.io.File;
import java.security.KeyStore.PasswordProtection;
import java.util.Map;

/** Adds a signature to a file. */
record Signing(Map<String, String> flags, Trust trust) implements Dss.Work {
    @Override
    public Json on(File in, File out) throws Exception {
        PasswordProtection pass = new PasswordProtection(flags.get("--pass").toCharArray());
        try (Pkcs12SignatureToken token = new Pkcs12SignatureToken(new File(flags.get("--p12")), pass)) {
            DSSPrivateKeyEntry key = token.getKeys().get(0);
            PAdESSignatureParameters parameters = parameters(key);
            PAdESService service = Extension.service(flags, trust);
            DSSDocument base = new FileDocument(in);
            ToBeSigned data = service.getDataToSign(base, parameters);
            SignatureValue value = token.sign(data, parameters.getDigestAlgorithm(), key);
            service.signDocument(base, parameters, value).save(out.getPath());
        }
        return new Json().put("out", out.getPath());
    }

    private PAdESSignatureParameters parameters(DSSPrivateKeyEntry key) {
        PAdESSignatureParameters p = new PAdESSignatureParameters();
        p.setSignatureLevel(Extension.level(flags));
        p.setDigestAlgorithm(DigestAlgorithm.SHA256);
        p.setSigningCertificate(key.getCertificate());
        p.setCertificateChain(key.getCertificateChain());
        p.setContentSize(32 << 10);
        if (flags.containsKey("--field")) {
            p.getImageParameters().getFieldParameters().setFieldId(flags.get("--field"));
        }
        if (flags.containsKey("--certify")) {
            p.setPermission(CertificationPermission.values()[Integer.parseInt(flags.get("--certify")) - 1]);
        }
        return p;
    }
}
