import java.io.File;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.List;
import org.apache.pdfbox.Loader;
import org.apache.pdfbox.pdmodel.PDDocument;
import org.apache.pdfbox.pdmodel.interactive.digitalsignature.PDSignature;
import org.bouncycastle.cert.X509CertificateHolder;
import org.bouncycastle.cms.CMSProcessableByteArray;
import org.bouncycastle.cms.CMSSignedData;
import org.bouncycastle.cms.SignerInformation;
import org.bouncycastle.cms.jcajce.JcaSimpleSignerInfoVerifierBuilder;
import org.bouncycastle.jce.provider.BouncyCastleProvider;
import org.bouncycastle.tsp.TimeStampToken;

/** Signatures as PDFBox finds them and Bouncy Castle verifies them: bytes and keys, no trust. */
final class PdfBox implements Dss.Work {
    @Override
    public Json on(File in, File out) throws Exception {
        byte[] file = Files.readAllBytes(in.toPath());
        List<Json> signatures = new ArrayList<>();
        try (PDDocument document = Loader.loadPDF(file)) {
            for (PDSignature s : document.getSignatureDictionaries()) {
                signatures.add(new Json().put("subfilter", s.getSubFilter()).put("valid", valid(s, file)));
            }
            return new Json().put("pages", document.getNumberOfPages()).put("signatures", signatures);
        }
    }

    private static boolean valid(PDSignature s, byte[] file) throws Exception {
        byte[] content = s.getSignedContent(file);
        byte[] cms = s.getContents(file);
        if ("ETSI.RFC3161".equals(s.getSubFilter())) {
            return stamped(new TimeStampToken(new CMSSignedData(cms)), content);
        }
        CMSSignedData data = new CMSSignedData(new CMSProcessableByteArray(content), cms);
        for (SignerInformation signer : data.getSignerInfos()) {
            if (!verified(data, signer)) {
                return false;
            }
        }
        return data.getSignerInfos().size() == 1;
    }

    private static boolean stamped(TimeStampToken token, byte[] content) throws Exception {
        String hash = token.getTimeStampInfo().getMessageImprintAlgOID().getId();
        byte[] digest = java.security.MessageDigest.getInstance(hash, new BouncyCastleProvider()).digest(content);
        CMSSignedData data = token.toCMSSignedData();
        return java.util.Arrays.equals(digest, token.getTimeStampInfo().getMessageImprintDigest())
                && verified(data, data.getSignerInfos().iterator().next());
    }

    @SuppressWarnings("unchecked")
    private static boolean verified(CMSSignedData data, SignerInformation signer) throws Exception {
        for (Object found : data.getCertificates().getMatches(signer.getSID())) {
            return signer.verify(new JcaSimpleSignerInfoVerifierBuilder().setProvider(new BouncyCastleProvider()).build((X509CertificateHolder) found));
        }
        return false;
    }
}
